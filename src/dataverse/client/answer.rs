//! What answers mean.

use std::ops::Range;

use super::Client;
use crate::auth::Token;
use crate::dataverse::batch::Asked;
use crate::dataverse::fault::Fault;
use crate::dataverse::inflate::{InflateError, gunzip};
use crate::dataverse::{Answer, Link, multipart};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::{Host, HttpError, Response};
use crate::retry::{Repeat, retry_after};
use crate::text::without_byte_order_mark;

/// What an answer without content stands for: there are no rows.
const NOTHING: &[u8] = br#"{"value":[]}"#;

/// An attempt that gave no answer.
#[derive(Debug)]
pub(in crate::dataverse) struct Failure {
    pub(in crate::dataverse) error: Error,
    pub(super) repeat: Repeat,
}

impl Failure {
    /// Whether another attempt may succeed.
    pub(in crate::dataverse) fn is_passing(&self) -> bool {
        self.repeat != Repeat::Never
    }

    pub(super) fn is_unauthenticated(&self) -> bool {
        self.error
            .fault
            .as_ref()
            .is_some_and(|fault| fault.status == 401)
    }
}

impl<H: Host> Client<H> {
    /// Tells an answer from a failure, and how often the failure is worth repeating.
    pub(super) fn judge(
        &self,
        asked: Asked<'_>,
        outcome: Result<Response, HttpError>,
        token: &Token,
    ) -> Result<Answer, Failure> {
        let link = asked.link;
        let mut response = outcome.map_err(|error| self.unanswered(link, &error))?;
        self.shared.reached.set(true);
        let body = std::mem::take(&mut response.body);
        let mut body = inflated(response.header("content-encoding"), body, self.max_body);
        if let Ok(body) = &mut body
            && !link.is_raw()
        {
            let mark = body.len() - without_byte_order_mark(body).len();
            body.drain(..mark);
        }
        let is_success = (200..300).contains(&response.status);
        if !asked.batched().is_empty() {
            let boundary = response
                .header("content-type")
                .and_then(multipart::boundary);
            // A batch that stopped at a part has the status of that part (reference 8.2).
            if let Some(boundary) = boundary {
                let body = body.map_err(|error| spoilt(link, error))?;
                match multipart::answers(&body, boundary) {
                    Some(answers) => {
                        let answer = Answer::new(&response, body);
                        return self.unpacked(asked, answer, answers, token);
                    }
                    // In the end each part is asked for by itself.
                    None if !asked.parts.is_empty() => {
                        return Err(Failure {
                            repeat: Repeat::Few,
                            ..self.refused(link, &response, b"", token)
                        });
                    }
                    None => return Err(spoilt(link, InflateError::Broken)),
                }
            }
        } else if is_success {
            let mut body = body.map_err(|error| spoilt(link, error))?;
            if response.status == 204 && !link.is_raw() {
                body = NOTHING.to_vec();
            }
            return Ok(Answer::new(&response, body));
        }
        // An error whose body is spoilt still has its status.
        Err(self.refused(link, &response, &body.unwrap_or_default(), token))
    }

    /// The answer of a batch with its parts, or that of the one part which was asked for.
    fn unpacked(
        &self,
        asked: Asked<'_>,
        mut answer: Answer,
        answers: Vec<(Response, Range<usize>)>,
        token: &Token,
    ) -> Result<Answer, Failure> {
        for (link, (head, range)) in asked.batched().iter().zip(answers) {
            answer.parts.push(if (200..300).contains(&head.status) {
                Ok(range)
            } else {
                let body = answer.body.get(range).unwrap_or_default();
                Err(self.refused(link, &head, body, token))
            });
        }
        if asked.parts.is_empty() {
            let range = answer.parts.pop();
            let range = range.unwrap_or_else(|| Err(spoilt(asked.link, InflateError::Broken)))?;
            answer.body.truncate(range.end);
            answer.body.drain(..range.start.min(range.end));
        }
        Ok(answer)
    }

    fn refused(&self, link: &Link, response: &Response, body: &[u8], token: &Token) -> Failure {
        let failed = format!("cannot read {}", link.resource_name());
        self.refusal(&failed, response, body, token)
    }

    /// What an error answer means; `failed` says what failed.
    pub(super) fn refusal(
        &self,
        failed: &str,
        response: &Response,
        body: &[u8],
        token: &Token,
    ) -> Failure {
        let fault = Fault::read(response, body, |text| token.scrub(text));
        let wanted = response
            .header("retry-after")
            .and_then(|value| retry_after(value, self.shared.host.unix_time()));
        Failure {
            repeat: fault.repeat(),
            error: fault.into_error(failed, wanted),
        }
    }

    fn unanswered(&self, link: &Link, error: &HttpError) -> Failure {
        if let HttpError::TooLarge(limit) = error {
            return spoilt(link, InflateError::TooLarge(*limit));
        }
        let what = format!("{} of the environment", link.resource_name());
        let url = self.environment().api_root();
        let repeat = match error.is_transient() {
            true if self.shared.reached.get() => Repeat::Patiently,
            // An address that has never answered is more likely wrong than at rest.
            true => Repeat::Few,
            false => Repeat::Never,
        };
        Failure {
            repeat,
            error: Error::unreachable(&what, url, error),
        }
    }
}

/// The body as it was before it was compressed.
pub(super) fn inflated(
    coding: Option<&str>,
    body: Vec<u8>,
    max_body: usize,
) -> Result<Vec<u8>, InflateError> {
    let coding = coding.unwrap_or_default().trim();
    // The older name of gzip means the same.
    match coding.strip_prefix("x-").unwrap_or(coding) {
        coding if coding.is_empty() || coding.eq_ignore_ascii_case("identity") => Ok(body),
        coding if coding.eq_ignore_ascii_case("gzip") => gunzip(&body, max_body),
        _ => Err(InflateError::Unasked),
    }
}

fn spoilt(link: &Link, error: InflateError) -> Failure {
    let what = link.resource_name();
    match error {
        InflateError::Broken | InflateError::Unasked => Failure {
            repeat: if error == InflateError::Unasked {
                Repeat::Few
            } else {
                Repeat::Patiently
            },
            error: Error::new(
                ErrorKind::Unavailable,
                format!("cannot read {what}: {error}; check any proxy between, or try again later"),
            ),
        },
        InflateError::TooLarge(_) => Failure {
            repeat: Repeat::Never,
            error: Error::new(
                ErrorKind::Unsupported,
                format!("cannot read {what}: {error}; ask for smaller pages or fewer columns"),
            )
            .with_recovery(Recovery::SmallerPages),
        },
    }
}
