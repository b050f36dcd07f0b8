//! What responses of the Web API are made of: errors, JSON, annotations, formatted values.

pub(crate) mod annotations;
mod error;
pub(crate) mod format;
pub(crate) mod json;

pub(crate) use error::ODataError;
