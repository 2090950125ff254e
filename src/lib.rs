//! The Etude plugin.
