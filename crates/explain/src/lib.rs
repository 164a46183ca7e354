//! A pod, its events and its evidence as an explanation.
