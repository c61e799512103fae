//! The composition root: the one place that names concrete adapters and ties the parts together.
