//! The only place that opens a connection to somebody else: carries out the requests of `sources`.
