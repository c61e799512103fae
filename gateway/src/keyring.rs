//! Versioned root keys outside the data directory, and the keys derived from them for each purpose.
