//! Batches with any method and with change sets.

use super::super::*;
use super::client;
use crate::dataverse::{ChangeSetFailure, Item, Outcome, Prefer, Request, Response};
use crate::error::{Commit, ErrorKind};
use crate::host::{HttpError, Method};
use crate::simulation::{Reply, Simulation, signed_in_with_batches};

pub(super) const KEY: &str = "00000000-0000-0000-0000-000000000001";

/// A response as Dataverse writes it, from its parts.
pub(super) fn multipart(status: u16, parts: &[&str]) -> Reply {
    let body = parts.join("\r\n--batchresponse_1\r\n");
    let content_type = "multipart/mixed; boundary=batchresponse_1";
    let body = format!("--batchresponse_1\r\n{body}\r\n--batchresponse_1--\r\n");
    Reply::body(status, body).with("Content-Type", content_type)
}

pub(super) fn single(status: u16, headers: &str, body: &str) -> String {
    format!(
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         HTTP/1.1 {status} Some\r\n{headers}OData-Version: 4.0\r\n\r\n{body}"
    )
}

pub(super) fn change_set(responses: &[(usize, String)]) -> String {
    let inner: Vec<String> = responses
        .iter()
        .map(|(id, response)| {
            let response = response.replacen(
                "Content-Transfer-Encoding: binary\r\n",
                &format!("Content-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n"),
                1,
            );
            format!("--changesetresponse_2\r\n{response}\r\n")
        })
        .collect();
    let inner = inner.concat();
    format!(
        "Content-Type: multipart/mixed; boundary=changesetresponse_2\r\n\r\n\
         {inner}--changesetresponse_2--\r\n"
    )
}

pub(super) fn fault(status: u16, code: &str) -> String {
    let body = format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"It failed.\"}}}}");
    let headers = "REQ_ID: part\r\nContent-Type: application/json; odata.metadata=minimal\r\n";
    single(status, headers, &body)
}

pub(super) fn created(key: &str) -> String {
    single(
        204,
        &format!("OData-EntityId: https://x/accounts({key})\r\n"),
        "",
    )
}

/// Three requests: one alone, then two in a change set, then one that reads.
pub(super) fn run(
    reply: impl Fn() -> Reply + 'static,
) -> (Result<Vec<Outcome>, Error>, Rc<Simulation>) {
    let host = signed_in_with_batches(move |_| reply());
    let client = client(&host);
    let [rows, row, nested] = [
        "accounts".to_owned(),
        format!("accounts({KEY})"),
        "$2/primarycontactid/$ref".to_owned(),
    ]
    .map(|resource| client.resource(&resource).unwrap());
    let items = [
        Item::One(
            Request::new(Method::Patch, &row)
                .with_header("If-Match", "*")
                .unwrap()
                .with_header("CallerObjectId", KEY)
                .unwrap()
                .with_json("{\"name\":\"A\"}"),
        ),
        Item::ChangeSet(vec![
            Request::new(Method::Post, &rows)
                .with_json("{\"name\":\"B\"}")
                .idempotent(),
            Request::new(Method::Put, &nested).with_json("{\"@odata.id\":\"contacts(1)\"}"),
        ]),
        Item::One(Request::get(&row, &Prefer::default())),
    ];
    let outcomes = host.block_on(client.send_batch(&items));
    (outcomes, host)
}

fn status(outcome: &Result<Response, crate::dataverse::Failure>) -> Result<u16, ErrorKind> {
    match outcome {
        Ok(response) => Ok(response.status),
        Err(failure) => Err(failure.error.kind),
    }
}

#[test]
fn a_batch_carries_each_method_and_change_sets_with_content_ids() {
    let (_, host) = run(|| Reply::fault(400, "0x80048d19", "It failed."));
    let requests = host.requests();
    let request = requests.last().unwrap();
    let header = |name: &str| {
        let line = request.headers.iter().find(|line| line.name == name);
        line.unwrap().value.clone()
    };
    assert_eq!(header("Prefer"), "odata.continue-on-error");
    let content_type = header("Content-Type");
    let boundary = content_type
        .strip_prefix("multipart/mixed; boundary=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap();
    let body = String::from_utf8(request.body.clone().unwrap()).unwrap();
    let ordinary = "Accept: application/json\r\nOData-MaxVersion: 4.0\r\nOData-Version: 4.0\r\n";
    let part = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n";
    let set = format!("changeset_1_{boundary}");
    let expected = format!(
        "--{boundary}\r\n{part}\r\n\
         PATCH /api/data/v9.2/accounts({KEY}) HTTP/1.1\r\n{ordinary}If-Match: *\r\n\
         CallerObjectId: {KEY}\r\nContent-Type: application/json\r\n\r\n{{\"name\":\"A\"}}\r\n\
         --{boundary}\r\nContent-Type: multipart/mixed; boundary=\"{set}\"\r\n\r\n\
         --{set}\r\n{part}Content-ID: 2\r\n\r\n\
         POST /api/data/v9.2/accounts HTTP/1.1\r\n{ordinary}\
         Content-Type: application/json\r\n\r\n{{\"name\":\"B\"}}\r\n\
         --{set}\r\n{part}Content-ID: 3\r\n\r\n\
         PUT $2/primarycontactid/$ref HTTP/1.1\r\n{ordinary}\
         Content-Type: application/json\r\n\r\n{{\"@odata.id\":\"contacts(1)\"}}\r\n\
         --{set}--\r\n\r\n\
         --{boundary}\r\n{part}\r\n\
         GET /api/data/v9.2/accounts({KEY}) HTTP/1.1\r\n{ordinary}If-None-Match: null\r\n\r\n\r\n\
         --{boundary}--\r\n"
    );
    assert_eq!(body, expected);
}

#[test]
fn each_item_has_its_outcome_in_order() {
    // The responses of a change set are found by their Content-ID, whatever their order.
    let set = change_set(&[(3, single(204, "", "")), (2, created(KEY))]);
    let parts = [
        fault(412, "0x80060882"),
        set,
        single(200, "ETag: W/\"7\"\r\n", "{\"name\":\"B\"}"),
    ];
    let reply = move || {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        multipart(200, &parts)
    };
    let (outcomes, host) = run(reply);
    let outcomes = outcomes.unwrap();
    assert_eq!(host.count("$batch"), 1);
    let [
        Outcome::One(first),
        Outcome::ChangeSet(Ok(set)),
        Outcome::One(Ok(last)),
    ] = &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!(status(first), Err(ErrorKind::Conflict));
    let error = &first.as_ref().unwrap_err().error;
    assert_eq!(error.commit, Commit::NotStarted);
    assert_eq!(
        error.fault.as_ref().unwrap().request_id.as_deref(),
        Some("part")
    );
    assert_eq!(set[0].row_key().unwrap().to_string(), KEY);
    assert_eq!(set[1].row_key(), None);
    assert_eq!(last.header("ETag"), Some("W/\"7\""));
    assert_eq!(last.body, b"{\"name\":\"B\"}");
}

#[test]
fn a_failed_change_set_names_the_request_that_failed() {
    let framed = change_set(&[(3, fault(400, "0x80044331"))]);
    for (set, request) in [
        (framed, Some(1)),
        // As OData has it: no frame, and no name.
        (fault(400, "0x80044331"), None),
    ] {
        for outer in [200, 400] {
            let set = set.clone();
            let (outcomes, _) = run(move || multipart(outer, &[&single(204, "", ""), &set]));
            let outcomes = outcomes.unwrap();
            let Outcome::ChangeSet(Err(ChangeSetFailure {
                request: failed,
                failure,
            })) = &outcomes[1]
            else {
                panic!("{outcomes:?}")
            };
            assert_eq!(*failed, request);
            assert_eq!(failure.error.commit, Commit::NotStarted);
            assert_eq!(failure.error.kind, ErrorKind::InvalidData);
            // The batch stopped there, and the last request was not carried out.
            let Outcome::One(Err(failure)) = &outcomes[2] else {
                panic!("{outcomes:?}")
            };
            assert!(failure.is_temporary());
            assert!(
                failure.error.message.contains("ended before this request"),
                "{}",
                failure.error
            );
        }
    }
}

#[test]
fn a_missing_response_says_whether_its_request_may_have_been_carried_out() {
    for (first, commit) in [
        (single(204, "", ""), Commit::Unknown),
        (fault(400, "0x80044331"), Commit::NotStarted),
    ] {
        let (outcomes, _) = run(move || multipart(200, &[&first]));
        let outcomes = outcomes.unwrap();
        let Outcome::ChangeSet(Err(failure)) = &outcomes[1] else {
            panic!("{outcomes:?}")
        };
        assert_eq!(failure.failure.error.commit, commit);
        assert_eq!(failure.request, None);
    }
    // A response that is missing within a change set that succeeded.
    let set = change_set(&[(2, created(KEY))]);
    let (outcomes, _) = run(move || multipart(200, &[&single(204, "", ""), &set]));
    let outcomes = outcomes.unwrap();
    let Outcome::ChangeSet(Err(failure)) = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(failure.failure.error.commit, Commit::Unknown);
}

/// Sends a batch of one request twice, the first time with this reply.
fn attempts(first: &Reply, is_idempotent: bool) -> (Result<Vec<Outcome>, Error>, usize) {
    let first = std::cell::RefCell::new(Some(first.clone()));
    let host = signed_in_with_batches(move |_| {
        let first = first.borrow_mut().take();
        first.unwrap_or_else(|| multipart(200, &[&single(204, "", "")]))
    });
    let client = client(&host);
    let link = client.resource("accounts").unwrap();
    let mut request = Request::new(Method::Post, &link).with_json("{}");
    if is_idempotent {
        request = request.idempotent();
    }
    let outcomes = host.block_on(client.send_batch(&[Item::One(request)]));
    (outcomes, host.count("$batch"))
}

#[test]
fn a_batch_is_repeated_only_if_each_request_allows_it_or_it_never_started() {
    for reply in [
        Reply::failure(HttpError::Lost),
        Reply::failure(HttpError::Timeout),
        Reply::status(502),
        multipart(200, &[&single(204, "", "")]).cut(),
        multipart(200, &[&single(204, "", "")]).gzipped().cut(),
    ] {
        let (outcomes, count) = attempts(&reply, false);
        let error = outcomes.unwrap_err();
        assert_eq!((error.commit, count), (Commit::Unknown, 1), "{reply:?}");
        let (outcomes, count) = attempts(&reply, true);
        assert!(outcomes.is_ok(), "{reply:?}");
        assert_eq!(count, 2);
    }
    for reply in [
        Reply::status(429).with("Retry-After", "3"),
        Reply::status(401),
    ] {
        let (outcomes, count) = attempts(&reply, false);
        assert!(outcomes.is_ok(), "{reply:?}");
        assert_eq!(count, 2);
    }
    // A response that is not a batch says nothing about its requests.
    let (outcomes, count) = attempts(&Reply::body(200, "{}"), false);
    assert_eq!((outcomes.unwrap_err().commit, count), (Commit::Unknown, 1));
}
