//! Change tracking (reference §6).

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, params};

use crate::{
    api::{Call, Response, request::MAX_PAGE},
    odata::{plan::VERSION, skiptoken::SkipToken},
    schema::{ChangeTracking, Table},
    store::current_version,
    time,
    wire::{
        ODataError,
        json::{push_member, push_name, push_separator},
    },
};

/// The default lifetime of a token in days.
const DEFAULT_LIFETIME_DAYS: i64 = 7;

/// `919042!08/22/2017 08:10:44`: a row version and the server's time when it was the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct DeltaToken {
    pub(in crate::api) version: i64,
    /// Seconds since 1970.
    pub(in crate::api) issued: i64,
}

impl DeltaToken {
    fn parse(text: &str) -> Result<Self, ODataError> {
        let read = || {
            let (version, issued) = text.split_once('!')?;
            Some(Self {
                version: version.parse().ok()?,
                issued: time::parse_delta_time(issued)?,
            })
        };
        read().ok_or_else(|| {
            ODataError::bad_request(
                "0x80060888",
                "The $deltatoken is malformed: use the delta link as it was sent.",
            )
        })
    }
}

impl std::fmt::Display for DeltaToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}!{}", self.version, time::delta_time(self.issued))
    }
}

/// A page of changes while it is written.
struct DeltaPage {
    body: Vec<u8>,
    /// How many more changes fit.
    room: i64,
    /// Whether there are changes that did not fit.
    more: bool,
    /// Version of the last row written.
    last_row: i64,
    /// Version of the last deletion written.
    last_deletion: i64,
    /// The newest version that belongs to these changes.
    until: i64,
}

impl DeltaPage {
    /// Whether one more change fits; notes that there are more if not.
    fn take_room(&mut self) -> bool {
        self.more = self.room == 0;
        self.room -= i64::from(!self.more);
        !self.more
    }
}

impl Call<'_> {
    /// Checks that changes of the table can be tracked, and returns the token from which the
    /// changes after this initial load will be read: that of its first page.
    pub(super) fn tracking_baseline(
        &self,
        connection: &Connection,
        table: &Table,
        token: Option<&SkipToken>,
    ) -> Result<String, ODataError> {
        self.require_tracking(table)?;
        if let Some(baseline) = token.and_then(|token| token.value("deltatoken")) {
            return DeltaToken::parse(baseline).map(|token| token.to_string());
        }
        Ok(self.newest(connection)?.to_string())
    }

    fn newest(&self, connection: &Connection) -> Result<DeltaToken, ODataError> {
        Ok(DeltaToken {
            version: current_version(connection)?,
            issued: self.now(),
        })
    }

    fn require_tracking(&self, table: &Table) -> Result<(), ODataError> {
        if table.change_tracking != ChangeTracking::Enabled {
            return Err(ODataError::bad_request(
                "0x80072491",
                format!(
                    "Entity {} isn't enabled for change tracking.",
                    table.logical_name
                ),
            ));
        }
        for option in ["$filter", "$orderby", "$expand", "$top", "$apply"] {
            if self.options.has(option) {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    format!(
                        "The \"{option}\" query parameter isn't supported when Change Tracking is \
                         enabled."
                    ),
                ));
            }
        }
        self.caller.require_global_read(table)
    }

    /// The address from which the changes after this one are read.
    pub(super) fn delta_link(&self, baseline: &str) -> String {
        let encoded = utf8_percent_encode(baseline, NON_ALPHANUMERIC).to_string();
        // `%2f` and `%3a` are in lower case, as in the service's own links.
        let encoded = encoded.replace("%2F", "%2f").replace("%3A", "%3a");
        let link = self.link(&[("$skiptoken", ""), ("$deltatoken", &encoded)]);
        link.replacen("$skiptoken=&", "", 1)
    }

    /// The request's token, unless it has expired (reference §6.5).
    fn valid_token(
        &self,
        connection: &Connection,
        table: &Table,
    ) -> Result<DeltaToken, ODataError> {
        self.require_tracking(table)?;
        let token = DeltaToken::parse(self.options.delta_token.as_deref().unwrap_or_default())?;
        let revoked = token.version < self.api.first_valid_delta.load(Ordering::SeqCst);
        let newest = current_version(connection)?;
        self.require_fresh(connection, token, "expirechangetrackingindays")?;
        if revoked || token.version > newest {
            return Err(expired());
        }
        Ok(token)
    }

    /// The stamp of definitions, unless it has expired (reference §5.6).
    pub(in crate::api) fn valid_stamp(
        &self,
        connection: &Connection,
        text: &str,
    ) -> Result<DeltaToken, ODataError> {
        let stamp = DeltaToken::parse(text)?;
        self.require_fresh(connection, stamp, "expiresubscriptionsindays")?;
        if stamp.version > self.model().schema.version() {
            return Err(expired());
        }
        Ok(stamp)
    }

    /// Rejects a token older than the organization's number of days.
    fn require_fresh(
        &self,
        connection: &Connection,
        token: DeltaToken,
        column: &str,
    ) -> Result<(), ODataError> {
        let days: Option<i64> = connection
            .prepare_cached(&format!("SELECT max({column}) FROM organization"))
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .unwrap_or(None);
        let lifetime = days.unwrap_or(DEFAULT_LIFETIME_DAYS) * 86_400;
        if self.now() - token.issued > lifetime {
            return Err(expired());
        }
        Ok(())
    }

    /// Reads what changed since the token: new and updated rows by version, then deletions.
    pub(super) fn delta(
        &self,
        connection: &Connection,
        table: &Table,
    ) -> Result<Response, ODataError> {
        let since = self.valid_token(connection, table)?;
        let token = self.skip_token()?;
        let from_cookie = |name| token.as_ref().and_then(|token| token.value(name));
        let version = |name| {
            let value = from_cookie(name).and_then(|text| text.parse().ok());
            value.unwrap_or(since.version)
        };
        // The window ends where it did on the first page, so that a busy table does not keep a
        // reader paging forever.
        let until = match from_cookie("deltatoken") {
            Some(until) => DeltaToken::parse(until)?,
            None => self.newest(connection)?,
        };
        let size = self.prefer.page_size.unwrap_or(MAX_PAGE);
        let mut page = DeltaPage {
            body: Vec::with_capacity(64 * 1024),
            room: i64::try_from(size).unwrap_or(i64::MAX),
            more: false,
            last_row: version("versionnumber"),
            last_deletion: version("deletedversion"),
            until: until.version,
        };
        page.body.push(b'{');
        push_member(
            &mut page.body,
            "@odata.context",
            &self.context(table, "/$delta"),
        );
        push_name(&mut page.body, "value");
        page.body.push(b'[');
        self.push_rows_changed(connection, table, &mut page)?;
        if !page.more {
            page.last_row = until.version;
            self.push_deletions(connection, table, &mut page)?;
        }
        let mut body = page.body;
        body.push(b']');
        if page.more {
            let last = vec![
                ("versionnumber".to_owned(), Some(page.last_row.to_string())),
                (
                    "deletedversion".to_owned(),
                    Some(page.last_deletion.to_string()),
                ),
                ("deltatoken".to_owned(), Some(until.to_string())),
            ];
            let number = token.as_ref().map_or(1, |token| token.page) + 1;
            let next = SkipToken {
                page: number,
                tracking: true,
                last,
            };
            let link = self.link(&[("$skiptoken", &next.encode(&next.last))]);
            push_member(&mut body, "@odata.nextLink", &link);
        } else {
            push_member(
                &mut body,
                "@odata.deltaLink",
                &self.delta_link(&until.to_string()),
            );
        }
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body).with_applied(self.prefer.applied_to_list()))
    }

    /// Appends new and updated rows, as they are now.
    fn push_rows_changed(
        &self,
        connection: &Connection,
        table: &Table,
        page: &mut DeltaPage,
    ) -> Result<(), ODataError> {
        let plan = self.plan(table)?;
        let sql = format!(
            "SELECT {} FROM \"{}\" t WHERE t.\"$version\" > ?1 AND t.\"$version\" <= ?2 \
             ORDER BY t.\"$version\" LIMIT ?3",
            plan.columns.join(", "),
            table.logical_name,
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![page.last_row, page.until, page.room + 1])?;
        while let Some(row) = rows.next()? {
            if !page.take_room() {
                break;
            }
            push_separator(&mut page.body);
            self.push_row(&mut page.body, row, &plan, &[])?;
            page.last_row = row.get(VERSION)?;
        }
        Ok(())
    }

    /// Appends what is left of deleted rows.
    fn push_deletions(
        &self,
        connection: &Connection,
        table: &Table,
        page: &mut DeltaPage,
    ) -> Result<(), ODataError> {
        let context = format!(
            "{}/$metadata#{}/$deletedEntity",
            self.request.root, table.entity_set_name
        );
        let mut statement = connection.prepare_cached(
            "SELECT id, version FROM \"$tombstone\" WHERE \"table\" = ?1 AND version > ?2 \
             AND version <= ?3 ORDER BY version LIMIT ?4",
        )?;
        let window = params![
            table.logical_name,
            page.last_deletion,
            page.until,
            page.room + 1
        ];
        let mut rows = statement.query(window)?;
        while let Some(row) = rows.next()? {
            if !page.take_room() {
                break;
            }
            let body = &mut page.body;
            push_separator(body);
            body.push(b'{');
            push_member(body, "@odata.context", &context);
            push_member(body, "id", row.get_ref(0)?.as_str().unwrap_or_default());
            push_member(body, "reason", "deleted");
            body.push(b'}');
            page.last_deletion = row.get(1)?;
        }
        Ok(())
    }

    /// `GET {set}/$count?$deltatoken=…`: how many changes there are.
    pub(super) fn delta_count(
        &self,
        connection: &Connection,
        table: &Table,
    ) -> Result<Response, ODataError> {
        let since = self.valid_token(connection, table)?;
        let sql = format!(
            "SELECT (SELECT count(*) FROM \"{}\" WHERE \"$version\" > ?1) + (SELECT count(*) FROM \
             \"$tombstone\" WHERE \"table\" = ?2 AND version > ?1)",
            table.logical_name
        );
        let count: i64 = connection
            .prepare_cached(&sql)?
            .query_row(params![since.version, table.logical_name], |row| row.get(0))?;
        Ok(Response::text(count.to_string()))
    }
}

fn expired() -> ODataError {
    ODataError::bad_request(
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_has_the_documented_form() {
        let text = "919042!08/22/2017 08:10:44";
        let token = DeltaToken::parse(text).unwrap();
        assert_eq!(
            token,
            DeltaToken {
                version: 919_042,
                issued: 1_503_389_444
            }
        );
        assert_eq!(token.to_string(), text);
        for wrong in ["", "919042", "x!08/22/2017 08:10:44", "1!2017-08-22", "1!"] {
            assert_eq!(DeltaToken::parse(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
