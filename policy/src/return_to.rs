//! Where to send a person after sign-in: own hosts only.
