//! One canonical request: the single form in which policy, journal, limits and upstream see what a client asked.
