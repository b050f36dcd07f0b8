//! The tables every emulated organization starts with: those of Dynamics 365 Sales.

/// File name and text of each table.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("account.table", include_str!("../../schema/account.table")),
    (
        "activityparty.table",
        include_str!("../../schema/activityparty.table"),
    ),
    (
        "activitypointer.table",
        include_str!("../../schema/activitypointer.table"),
    ),
    (
        "annotation.table",
        include_str!("../../schema/annotation.table"),
    ),
    (
        "appointment.table",
        include_str!("../../schema/appointment.table"),
    ),
    (
        "asyncoperation.table",
        include_str!("../../schema/asyncoperation.table"),
    ),
    (
        "attributemap.table",
        include_str!("../../schema/attributemap.table"),
    ),
    ("audit.table", include_str!("../../schema/audit.table")),
    (
        "businessunit.table",
        include_str!("../../schema/businessunit.table"),
    ),
    (
        "campaign.table",
        include_str!("../../schema/campaign.table"),
    ),
    (
        "campaignresponse.table",
        include_str!("../../schema/campaignresponse.table"),
    ),
    (
        "competitor.table",
        include_str!("../../schema/competitor.table"),
    ),
    (
        "connection.table",
        include_str!("../../schema/connection.table"),
    ),
    (
        "connectionrole.table",
        include_str!("../../schema/connectionrole.table"),
    ),
    ("contact.table", include_str!("../../schema/contact.table")),
    (
        "customeraddress.table",
        include_str!("../../schema/customeraddress.table"),
    ),
    (
        "customeropportunityrole.table",
        include_str!("../../schema/customeropportunityrole.table"),
    ),
    (
        "duplicaterule.table",
        include_str!("../../schema/duplicaterule.table"),
    ),
    ("email.table", include_str!("../../schema/email.table")),
    (
        "emailserverprofile.table",
        include_str!("../../schema/emailserverprofile.table"),
    ),
    (
        "entitymap.table",
        include_str!("../../schema/entitymap.table"),
    ),
    ("fax.table", include_str!("../../schema/fax.table")),
    (
        "fieldsecurityprofile.table",
        include_str!("../../schema/fieldsecurityprofile.table"),
    ),
    ("goal.table", include_str!("../../schema/goal.table")),
    (
        "importmap.table",
        include_str!("../../schema/importmap.table"),
    ),
    (
        "incident.table",
        include_str!("../../schema/incident.table"),
    ),
    ("invoice.table", include_str!("../../schema/invoice.table")),
    ("lead.table", include_str!("../../schema/lead.table")),
    (
        "leadtoopportunitysalesprocess.table",
        include_str!("../../schema/leadtoopportunitysalesprocess.table"),
    ),
    ("letter.table", include_str!("../../schema/letter.table")),
    ("list.table", include_str!("../../schema/list.table")),
    (
        "listmember.table",
        include_str!("../../schema/listmember.table"),
    ),
    ("mailbox.table", include_str!("../../schema/mailbox.table")),
    (
        "opportunity.table",
        include_str!("../../schema/opportunity.table"),
    ),
    (
        "opportunityclose.table",
        include_str!("../../schema/opportunityclose.table"),
    ),
    (
        "opportunityproduct.table",
        include_str!("../../schema/opportunityproduct.table"),
    ),
    (
        "opportunitysalesprocess.table",
        include_str!("../../schema/opportunitysalesprocess.table"),
    ),
    (
        "organization.table",
        include_str!("../../schema/organization.table"),
    ),
    (
        "phonecall.table",
        include_str!("../../schema/phonecall.table"),
    ),
    (
        "position.table",
        include_str!("../../schema/position.table"),
    ),
    (
        "pricelevel.table",
        include_str!("../../schema/pricelevel.table"),
    ),
    (
        "principalobjectaccess.table",
        include_str!("../../schema/principalobjectaccess.table"),
    ),
    (
        "privilege.table",
        include_str!("../../schema/privilege.table"),
    ),
    (
        "processstage.table",
        include_str!("../../schema/processstage.table"),
    ),
    ("product.table", include_str!("../../schema/product.table")),
    (
        "publisher.table",
        include_str!("../../schema/publisher.table"),
    ),
    ("queue.table", include_str!("../../schema/queue.table")),
    (
        "queueitem.table",
        include_str!("../../schema/queueitem.table"),
    ),
    ("quote.table", include_str!("../../schema/quote.table")),
    ("role.table", include_str!("../../schema/role.table")),
    (
        "roleprivileges.table",
        include_str!("../../schema/roleprivileges.table"),
    ),
    (
        "roletemplate.table",
        include_str!("../../schema/roletemplate.table"),
    ),
    (
        "salesorder.table",
        include_str!("../../schema/salesorder.table"),
    ),
    (
        "savedquery.table",
        include_str!("../../schema/savedquery.table"),
    ),
    (
        "sdkmessage.table",
        include_str!("../../schema/sdkmessage.table"),
    ),
    (
        "sdkmessagefilter.table",
        include_str!("../../schema/sdkmessagefilter.table"),
    ),
    ("sla.table", include_str!("../../schema/sla.table")),
    (
        "solution.table",
        include_str!("../../schema/solution.table"),
    ),
    ("subject.table", include_str!("../../schema/subject.table")),
    (
        "systemuser.table",
        include_str!("../../schema/systemuser.table"),
    ),
    (
        "systemuserprofiles.table",
        include_str!("../../schema/systemuserprofiles.table"),
    ),
    (
        "systemuserroles.table",
        include_str!("../../schema/systemuserroles.table"),
    ),
    ("task.table", include_str!("../../schema/task.table")),
    ("team.table", include_str!("../../schema/team.table")),
    (
        "teammembership.table",
        include_str!("../../schema/teammembership.table"),
    ),
    (
        "teamroles.table",
        include_str!("../../schema/teamroles.table"),
    ),
    (
        "territory.table",
        include_str!("../../schema/territory.table"),
    ),
    (
        "transactioncurrency.table",
        include_str!("../../schema/transactioncurrency.table"),
    ),
    (
        "userquery.table",
        include_str!("../../schema/userquery.table"),
    ),
    (
        "usersettings.table",
        include_str!("../../schema/usersettings.table"),
    ),
    (
        "workflow.table",
        include_str!("../../schema/workflow.table"),
    ),
];
