//! The two time bases and the map between them.
