//! Which header fields a client may not speak in, since the gateway does.
