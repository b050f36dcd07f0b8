//! The kind, retry, recovery and advice of each error code and status (reference 2.9, 7.6, 9.1).

use crate::call::Retry;
use crate::error::ErrorKind::{
    self, CheckpointExpired, Conflict, Forbidden, InvalidData, InvalidSettings, NotFound,
    Throttled, Unauthenticated, Unavailable, Unsupported,
};
use crate::error::Recovery;

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    pub(super) retry: Retry,
    pub(super) recovery: Option<Recovery>,
    /// What to do, as the end of a sentence.
    pub(super) advice: &'static str,
}

const fn meaning(kind: ErrorKind, advice: &'static str) -> Meaning {
    Meaning {
        kind,
        retry: Retry::Never,
        recovery: None,
        advice,
    }
}

impl Meaning {
    const fn retried(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    const fn recovered(self, recovery: Recovery) -> Self {
        Self {
            recovery: Some(recovery),
            ..self
        }
    }
}

const DEFECT: Meaning = meaning(
    Unsupported,
    "if the columns that it names still exist, this is a defect of the connector",
);
const THROTTLED: Meaning = meaning(
    Throttled,
    "wait before the next request, and request less at once",
)
.retried(Retry::WithinBudget);
const TEMPORARY: Meaning = meaning(Unavailable, "try again later");
const PRIVILEGE: Meaning = meaning(
    Forbidden,
    "an administrator must add the privilege to a security role of the account",
);

/// A policy requires the person to sign in again (a challenge with `claims`).
pub(super) const CLAIMS_REQUIRED: Meaning = meaning(
    Unauthenticated,
    "a Conditional Access policy requires the account to sign in again interactively",
);

/// What a code means; some mean different things with different statuses.
pub(super) fn of_code(code: u32, status: u16) -> Option<Meaning> {
    Some(match code {
        0x8007_2560 => meaning(
            Forbidden,
            "an administrator must add the account to the environment: for an application, \
             create an application user (Power Platform admin center, Users + permissions, \
             Application users), and for a person, add the user and a licence",
        ),
        0x8004_A112 | 0x8004_0225 => meaning(
            Forbidden,
            "the account is disabled in the environment, and an administrator must enable it",
        ),
        0x8004_2F09 => meaning(
            Forbidden,
            "an administrator must assign a security role to the account, or to a team of it",
        ),
        0x8004_0220 | 0x8004_8405 => PRIVILEGE,
        0x8004_8306 => meaning(
            Forbidden,
            "the account has no access to this row: an administrator must share it, or raise the \
             depth of the privilege in a security role of the account",
        ),
        0x8004_0231 => meaning(
            Forbidden,
            "the owner of the row may not do this, and an administrator must add the privilege \
             to a security role of the owner",
        ),
        0x8004_A110 => meaning(
            Forbidden,
            "the account needs the privilege prvActOnBehalfOfAnotherUser",
        ),
        0x8004_F504 | 0x8004_F507 => meaning(
            Forbidden,
            "a column is secured; omit it, or have an administrator add the account to its column \
             security profile",
        ),
        0x8004_0217 | 0x8006_0891 => meaning(NotFound, "the row was deleted or never existed"),
        0x8006_0890 => meaning(
            NotFound,
            "the table has no such alternate key; define it first",
        ),
        0x8004_1102 => meaning(
            NotFound,
            "the table was removed or renamed; read the list of tables again",
        ),
        0x8004_1103 => meaning(
            NotFound,
            "the column was removed or renamed; read the columns of the table again",
        ),
        // Routing and query syntax share these codes.
        0x8006_088A | 0x8006_0888 if status == 404 => {
            meaning(NotFound, "check that the table exists in this environment")
        }
        0x8006_088A | 0x8006_0888 => DEFECT,
        0x8004_0237 | 0x8006_0892 | 0x8004_0333 => {
            meaning(Conflict, "a row with these values already exists")
        }
        0x8006_0882 | 0x8006_0883 | 0x8006_088D => {
            meaning(Conflict, "the row was changed meanwhile; read it again")
        }
        0x8007_1154 => meaning(Conflict, "another operation is running; try again later")
            .retried(Retry::Limited),
        // Customizations run one after another: an import may block others for minutes.
        0x8007_1151 => meaning(
            Conflict,
            "another customization is running; try again when it is finished",
        )
        .retried(Retry::WithinBudget),
        0x8004_7013 => meaning(Conflict, "choose another name"),
        0x8004_4366 => meaning(
            InvalidData,
            "begin the name with the prefix of the publisher, and use letters, digits and \
             underscores",
        ),
        0x8004_0203 | 0x8004_8408 | 0x8004_4331 | 0x8004_4355 | 0x8004_8403 => {
            meaning(InvalidData, "correct the value")
        }
        0x8004_0265 => meaning(
            InvalidData,
            "a plug-in of the environment rejected it; ask the maintainer of the plug-in",
        ),
        0x8004_0224 | 0x8004_0216 => TEMPORARY.retried(Retry::Limited),
        0x8004_4150 | 0x8004_4151 => meaning(
            Unavailable,
            "the database was too slow; request smaller pages or try again later",
        )
        .retried(Retry::Limited)
        .recovered(Recovery::SmallerPages),
        // The lock on a row was not granted, or a deadlock ended the transaction (reference 7.6).
        0x8004_4339 | 0x8004_0255 => meaning(
            Unavailable,
            "another request was writing the same row; try again later",
        )
        .retried(Retry::Limited),
        0x8004_418A => meaning(Unsupported, "request less at once"),
        0x8004_4352 => meaning(
            CheckpointExpired,
            "the change token has expired; read the table in full",
        )
        .recovered(Recovery::Resync),
        0x8007_2321 | 0x8007_2322 | 0x8007_2326 | 0x8005_F103 | 0x8007_2324 => THROTTLED,
        _ => return None,
    })
}

/// What a status means when no known code comes with it.
pub(super) fn of_status(status: u16) -> Meaning {
    match status {
        300..=399 => meaning(
            InvalidSettings,
            "redirects are not followed; set \"environment\" to the environment's own address",
        ),
        401 => meaning(
            Unauthenticated,
            "a new token was rejected too; check \"environment\", \"tenant\" and \"auth.scope\"",
        ),
        403 => meaning(
            Forbidden,
            "an administrator must check the security roles of the account, and any firewall \
             rule of the environment",
        ),
        404 | 410 => meaning(
            NotFound,
            "check \"environment\" and \"apiVersion\", and that the table exists",
        ),
        405 | 501 => meaning(
            Unsupported,
            "Dataverse does not support this for the resource",
        ),
        408 | 502..=504 => TEMPORARY.retried(Retry::WithinBudget),
        409 | 412 => meaning(Conflict, "the row was changed meanwhile; read it again"),
        413 | 414 => meaning(Unsupported, "request less at once"),
        429 => THROTTLED,
        400..=499 => DEFECT,
        500 => TEMPORARY.retried(Retry::Limited),
        _ => TEMPORARY,
    }
}
