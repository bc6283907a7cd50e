"""Support vector machines: kernels made once for all penalties."""
