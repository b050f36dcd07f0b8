//! Every action and function of the Web API, by how it is called.
//!
//! Functions are called with `GET` and take their parameters as text in parentheses; actions are
//! called with `POST` and take theirs in the body. A new operation is a handler (a method of
//! [`Call`] in a file of its own) and a line here. One line each: `rustfmt` would spread most of
//! them over four.

use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    api::{Call, DefinitionChange, Response},
    schema::Table,
    store::Writer,
    wire::ODataError,
};

type Outcome = Result<Response, ODataError>;
/// Reads; gets the text of the parameters last.
type Function = for<'c> fn(&'c Call<'c>, &'c Connection, &str) -> Outcome;
type RowFunction = fn(&Call<'_>, &Connection, &Table, Uuid, &str) -> Outcome;
type Action = fn(&Call<'_>, &Writer<'_>) -> Outcome;
type SetAction = fn(&Call<'_>, &Writer<'_>, &Table) -> Outcome;
type RowAction = fn(&Call<'_>, &Writer<'_>, &Table, Uuid) -> Outcome;
/// Reads, and says what is to change.
type DefinitionAction = fn(&Call<'_>, &Connection) -> DefinitionChange;

/// `GET {api}/{name}(…)`
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("InitializeFrom", |c, db, args| c.initialize_from(db, args)),
    ("RetrieveAadUserRoles", |c, db, args| c.directory_user_roles(db, args)),
    ("RetrieveActivePath", |c, db, args| c.active_path(db, args)),
    ("RetrieveAttributeChangeHistory", |c, db, args| c.column_history(db, args)),
    ("RetrieveCurrentOrganization", |c, _, args| c.current_organization(args)),
    ("RetrieveMetadataChanges", |c, db, args| c.metadata_changes(db, args)),
    ("RetrieveRecordChangeHistory", |c, db, args| c.row_history(db, args)),
    ("RetrieveRolePrivilegesRole", |c, db, args| c.named_role_privileges(db, args)),
    ("RetrieveSharedPrincipalsAndAccess", |c, db, args| c.shared_principals(db, args)),
    ("RetrieveTotalRecordCount", |c, db, args| c.total_record_count(db, args)),
    ("RetrieveVersion", |c, _, args| c.service_version(args)),
    ("WhoAmI", |c, _, args| c.who_am_i(args)),
];

/// `GET {set}(key)/Microsoft.Dynamics.CRM.{name}(…)` on a row of one of the tables.
#[rustfmt::skip]
pub(super) const ROW_FUNCTIONS: &[(&str, &[&str], RowFunction)] = &[
    ("RetrieveAuditDetails", &["audit"], |c, db, table, id, _| c.audit_details(db, table, id)),
    ("RetrievePrincipalAccess", &["systemuser", "team"], |c, db, table, id, args| c.principal_access(db, table, id, args)),
    ("RetrieveRolePrivilegesRole", &["role"], |c, db, _, id, _| c.role_privileges(db, id)),
    ("RetrieveTeamPrivileges", &["team"], |c, db, _, id, _| c.team_privileges(db, id)),
    ("RetrieveUserPrivilegeByPrivilegeName", &["systemuser"], |c, db, _, id, args| c.user_privilege_by_name(db, id, args)),
    ("RetrieveUserPrivileges", &["systemuser"], |c, db, _, id, _| c.user_privileges(db, id)),
    ("RetrieveUserSetOfPrivilegesByNames", &["systemuser"], |c, db, _, id, args| c.user_privileges_by_names(db, id, args)),
];

/// `POST {api}/{name}`
#[rustfmt::skip]
pub(super) const ACTIONS: &[(&str, Action)] = &[
    ("AddListMembersList", |c, w| c.add_list_members(w)),
    ("BulkDelete", |c, w| c.bulk_delete(w)),
    ("GrantAccess", |c, w| c.grant_access(w)),
    ("LoseOpportunity", |c, w| c.lose_opportunity(w)),
    ("Merge", |c, w| c.merge(w)),
    ("ModifyAccess", |c, w| c.modify_access(w)),
    ("RevokeAccess", |c, w| c.revoke_access(w)),
    ("UnpublishDuplicateRule", |c, w| c.unpublish_rule(w)),
    ("WinOpportunity", |c, w| c.win_opportunity(w)),
];

/// `POST {set}/Microsoft.Dynamics.CRM.{name}` on the rows of any table.
#[rustfmt::skip]
pub(super) const SET_ACTIONS: &[(&str, SetAction)] = &[
    ("CreateMultiple", |c, w, table| c.create_multiple(w, table)),
    ("DeleteMultiple", |c, w, table| c.delete_multiple(w, table)),
    ("UpdateMultiple", |c, w, table| c.update_multiple(w, table)),
    ("UpsertMultiple", |c, w, table| c.upsert_multiple(w, table)),
];

/// `POST {set}(key)/Microsoft.Dynamics.CRM.{name}` on a row of the table.
#[rustfmt::skip]
pub(super) const ROW_ACTIONS: &[(&str, &str, RowAction)] = &[
    ("AddMemberList", "list", |c, w, table, id| c.add_list_member(w, table, id)),
    ("AddMembersTeam", "team", |c, w, table, id| c.add_members(w, table, id)),
    ("AddPrivilegesRole", "role", |c, w, table, id| c.add_privileges(w, table, id)),
    ("AddToQueue", "queue", |c, w, table, id| c.add_to_queue(w, table, id)),
    ("PublishDuplicateRule", "duplicaterule", |c, w, table, id| c.publish_rule(w, table, id)),
    ("QualifyLead", "lead", |c, w, table, id| c.qualify_lead(w, table, id)),
    ("RemoveMemberList", "list", |c, w, table, id| c.remove_list_member(w, table, id)),
    ("RemoveMembersTeam", "team", |c, w, table, id| c.remove_members(w, table, id)),
    ("RemovePrivilegeRole", "role", |c, w, table, id| c.remove_privilege(w, table, id)),
    ("ReplacePrivilegesRole", "role", |c, w, table, id| c.replace_privileges(w, table, id)),
];

/// `POST {api}/{name}` of the actions that change definitions of tables and columns.
#[rustfmt::skip]
pub(super) const DEFINITION_ACTIONS: &[(&str, DefinitionAction)] = &[
    ("CreateCustomerRelationships", |c, db| c.create_customer(db)),
    ("CreateEntities", |c, db| c.create_tables(db)),
    ("PublishAllXml", |c, _| c.publish_all()),
    ("PublishXml", |c, _| c.publish()),
    ("ReactivateEntityKey", |c, _| c.reactivate_key()),
];
