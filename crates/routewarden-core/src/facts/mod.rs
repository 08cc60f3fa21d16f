//! Reference facts: what is known beside BGP. Each optional, each with its source.
