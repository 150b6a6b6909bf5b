//! Messages between peers and their codec; every limit a named constant.
