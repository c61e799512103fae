//! The way in: accept, TLS, HTTP/1.1 and HTTP/2 loops of our own around Pingora's proxy.
