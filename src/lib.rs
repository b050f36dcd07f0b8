//! The Dataverse connector.
