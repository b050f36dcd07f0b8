//! The pages that people see. Their fields and buttons have the ids of the real ones.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::entra::error::{EntraError, Identifiers};

const STYLE: &str = "
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;
background:#e9eef5;color:#1b1b1b;font:15px/1.4 'Segoe UI',system-ui,sans-serif}
main{background:#fff;width:100%;max-width:440px;margin:16px;padding:44px;
box-shadow:0 2px 6px rgba(0,0,0,.2)}
h1{font-size:24px;font-weight:600;margin:16px 0 12px}
.brand{color:#5e5e5e;font-weight:600;font-size:18px}
.who{color:#1b1b1b;margin:12px 0 0;overflow-wrap:anywhere}
label{display:block;margin:12px 0 4px}
input[type=text],input[type=email],input[type=password]{width:100%;padding:6px 10px;height:36px;
border:0;border-bottom:1px solid #666;font:inherit}
input:focus-visible{outline:2px solid #0067b8}
button{font:inherit;min-width:108px;min-height:32px;padding:4px 12px;border:1px solid transparent}
button:focus-visible{outline:2px solid #1b1b1b;outline-offset:2px}
.actions{display:flex;flex-direction:row-reverse;gap:8px;margin-top:24px;flex-wrap:wrap}
.primary{background:#0067b8;color:#fff}
.secondary{background:#ccc;color:#1b1b1b}
.account{display:block;width:100%;text-align:left;background:#fff;border-bottom:1px solid #ddd;
padding:10px 4px}
.link{background:none;border:0;color:#0067b8;padding:0;text-align:left;min-width:0}
.error{color:#c50f1f;margin:8px 0;overflow-wrap:anywhere}
ul{padding-left:20px}
small,.note{color:#5e5e5e;font-size:13px;overflow-wrap:anywhere}
@media(max-width:480px){body{background:#fff;align-items:flex-start}main{box-shadow:none;
margin:0;padding:24px}}
";

/// What ties a page's form to its interaction.
pub(in crate::entra) struct Form<'a> {
    /// Where it is posted.
    pub(in crate::entra) action: &'a str,
    pub(in crate::entra) flow_token: &'a str,
    pub(in crate::entra) canary: &'a str,
}

impl Form<'_> {
    fn around(&self, content: &Markup) -> Markup {
        html! {
            form method="post" action=(self.action) autocomplete="off" {
                input type="hidden" name="flowToken" value=(self.flow_token);
                input type="hidden" name="canary" value=(self.canary);
                (content)
            }
        }
    }
}

fn layout(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="none";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    }
}

fn brand() -> Markup {
    html! { div.brand { "Dataverse emulator" } }
}

fn primary(id: &str, action: &str, text: &str) -> Markup {
    html! { button.primary id=(id) type="submit" name="action" value=(action) { (text) } }
}

/// A button that needs none of the form's fields.
fn secondary(id: &str, action: &str, text: &str) -> Markup {
    html! {
        button.secondary id=(id) type="submit" name="action" value=(action) formnovalidate {
            (text)
        }
    }
}

/// The error of the previous page, marked up for screen readers.
fn error_message(id: &str, error: Option<&EntraError>, sentence: &str) -> Markup {
    html! {
        @if let Some(error) = error {
            div.error id=(id) role="alert" {
                (sentence)
                br;
                small { "AADSTS" (error.code()) ": " (error.sentence()) }
            }
        }
    }
}

/// Asks for the name to sign in with.
pub(in crate::entra) fn name(form: &Form<'_>, typed: &str, error: Option<&EntraError>) -> Markup {
    let content = html! {
        (brand())
        h1 { "Sign in" }
        (error_message("usernameError", error, "This username may be incorrect. Make sure you typed \
            it correctly. Otherwise, contact your admin."))
        (form.around(&html! {
            label for="i0116" { "Email or phone" }
            input id="i0116" type="email" name="loginfmt" value=(typed) required autofocus
                autocomplete="username" aria-invalid=[error.map(|_| "true")];
            div.actions {
                (primary("idSIButton9", "name", "Next"))
                (secondary("idBtn_Back", "cancel", "Cancel"))
            }
        }))
    };
    layout("Sign in to your account", &content)
}

/// Asks for the password.
pub(in crate::entra) fn password(form: &Form<'_>, who: &str, error: Option<&EntraError>) -> Markup {
    let content = html! {
        (brand())
        div.who id="displayName" { (who) }
        h1 { "Enter password" }
        (error_message("passwordError", error, "Your account or password is incorrect. If you don't \
            remember your password, ask your admin to reset it."))
        (form.around(&html! {
            label for="i0118" { "Password" }
            input id="i0118" type="password" name="passwd" required autofocus
                autocomplete="current-password" aria-invalid=[error.map(|_| "true")];
            div.actions {
                (primary("idSIButton9", "password", "Sign in"))
                (secondary("idBtn_Back", "another", "Back"))
            }
        }))
    };
    layout("Sign in to your account", &content)
}

/// Asks for the verification code.
pub(in crate::entra) fn second_factor(
    form: &Form<'_>,
    who: &str,
    error: Option<&EntraError>,
) -> Markup {
    let content = html! {
        (brand())
        div.who id="displayName" { (who) }
        h1 { "Enter code" }
        p { "Please type in the code displayed on your authenticator app from your device." }
        (error_message("idSpan_SAOTCC_Error_OTC", error, "That code didn't work. Check the code and \
            try again."))
        (form.around(&html! {
            label for="idTxtBx_SAOTCC_OTC" { "Code" }
            input id="idTxtBx_SAOTCC_OTC" type="text" name="otc" inputmode="numeric" required
                autofocus autocomplete="one-time-code" aria-invalid=[error.map(|_| "true")];
            div.actions {
                (primary("idSubmit_SAOTCC_Continue", "second-factor", "Verify"))
                (secondary("idBtn_Back", "cancel", "Cancel"))
            }
        }))
    };
    layout("Sign in to your account", &content)
}

/// Asks which of the accounts known to the browser: each with its identifier and its name.
pub(in crate::entra) fn accounts(form: &Form<'_>, accounts: &[(String, String)]) -> Markup {
    let content = html! {
        (brand())
        h1 { "Pick an account" }
        (form.around(&html! {
            @for (id, name) in accounts {
                button.account type="submit" name="action" value=(format!("pick:{id}"))
                    data-test-id=(name) { (name) }
            }
            button.account id="otherTile" type="submit" name="action" value="another" {
                "Use another account"
            }
        }))
    };
    layout("Sign in to your account", &content)
}

/// What a page of consent asks about.
pub(in crate::entra) struct ConsentQuestion<'a> {
    pub(in crate::entra) application: &'a str,
    pub(in crate::entra) publisher: &'a str,
    pub(in crate::entra) who: &'a str,
    /// Whether it is for all people of the organization.
    pub(in crate::entra) for_everybody: bool,
    pub(in crate::entra) keeps_access: bool,
}

/// Asks for consent.
pub(in crate::entra) fn consent(form: &Form<'_>, question: &ConsentQuestion<'_>) -> Markup {
    let content = html! {
        (brand())
        div.who id="displayName" { (question.who) }
        h1 {
            @if question.for_everybody {
                "Permissions requested" br; small { "Review for your organization" }
            } @else {
                "Permissions requested"
            }
        }
        p { strong id="appName" { (question.application) } br; small { (question.publisher) } }
        p { "This application would like to:" }
        ul {
            li { "Access Dataverse as " @if question.for_everybody { "organization users" }
                @else { "you" } }
            @if question.keeps_access {
                li { "Maintain access to data you have given it access to" }
            }
        }
        @if question.for_everybody {
            p { "If you accept, this app will get access to the specified resources for all users \
                in your organization. No one else will be prompted to review these permissions." }
        }
        p.note { "Accepting these permissions means that you allow this app to use your data as \
            specified in its terms of service and privacy statement." }
        (form.around(&html! {
            div.actions {
                (primary("idSIButton9", "accept", "Accept"))
                (secondary("idBtn_Back", "cancel", "Cancel"))
            }
        }))
    };
    layout("Permissions requested", &content)
}

/// Says that an administrator must consent.
pub(in crate::entra) fn administrator_needed(
    form: &Form<'_>,
    application: &str,
    who: &str,
    error: &EntraError,
) -> Markup {
    let content = html! {
        (brand())
        div.who id="displayName" { (who) }
        h1 { "Need admin approval" }
        p { strong id="appName" { (application) } }
        p.error role="alert" { "AADSTS" (error.code()) ": " (error.sentence()) }
        (form.around(&html! {
            p { button.link id="adminConsentSwitchAccount" type="submit" name="action"
                value="another" { "Have an admin account? Sign in with that account" } }
            p { button.link id="adminConsentReturn" type="submit" name="action" value="cancel" {
                "Return to the application without granting consent" } }
        }))
    };
    layout("Need admin approval", &content)
}

/// Asks for the code that a device shows.
pub(in crate::entra) fn device(form: &Form<'_>, error: Option<&EntraError>) -> Markup {
    let content = html! {
        (brand())
        h1 { "Enter code to allow access" }
        p.note { "Once you enter the code displayed on your app or device, it will have access to \
            your account. Do not enter codes from sources you don't trust." }
        (error_message("otcError", error, "That code didn't work. Check the code and try again."))
        (form.around(&html! {
            label for="otc" { "Code" }
            input id="otc" type="text" name="otc" maxlength="9" required autofocus
                autocapitalize="characters" aria-invalid=[error.map(|_| "true")];
            div.actions { (primary("idSIButton9", "device", "Next")) }
        }))
    };
    layout("Sign in to your account", &content)
}

/// Asks whether the application on the device is meant.
pub(in crate::entra) fn device_confirmation(
    form: &Form<'_>,
    application: &str,
    who: &str,
) -> Markup {
    let content = html! {
        (brand())
        div.who id="displayName" { (who) }
        h1 { "Are you trying to sign in to " span id="appName" { (application) } "?" }
        p { "Only continue if you downloaded the app from a store or website that you trust." }
        (form.around(&html! {
            div.actions {
                (primary("idSIButton9", "continue", "Continue"))
                (secondary("idBtn_Back", "cancel", "Cancel"))
            }
        }))
    };
    layout("Sign in to your account", &content)
}

/// The end of a sign-in on another device, one way or the other.
pub(in crate::entra) fn message(title: &str, text: &str) -> Markup {
    let content = html! {
        (brand())
        h1 id="message" { (title) }
        p { (text) }
    };
    layout(title, &content)
}

/// An error that cannot be returned to the application.
pub(in crate::entra) fn error(error: &EntraError, ids: &Identifiers) -> Markup {
    let content = html! {
        (brand())
        h1 { "Sorry, but we’re having trouble signing you in." }
        div.error id="exceptionMessageContainer" role="alert" {
            "AADSTS" (error.code()) ": " (error.sentence())
        }
        p.note {
            "Request Id: " (ids.trace) br;
            "Correlation Id: " (ids.correlation) br;
            "Timestamp: " (ids.timestamp)
        }
    };
    layout("Sign in to your account", &content)
}

/// The page of AD FS: name and password at once.
pub(in crate::entra) fn adfs(
    form: &Form<'_>,
    organization: &str,
    typed: &str,
    error: Option<&EntraError>,
) -> Markup {
    let content = html! {
        div.brand { (organization) }
        h1 { "Sign in with your organizational account" }
        @if error.is_some() {
            div.error id="errorText" role="alert" {
                "Incorrect user ID or password. Type the correct user ID and password, and try \
                 again."
            }
        }
        (form.around(&html! {
            label for="userNameInput" { "User Account" }
            input id="userNameInput" type="email" name="UserName" value=(typed) required autofocus
                autocomplete="username";
            label for="passwordInput" { "Password" }
            input id="passwordInput" type="password" name="Password" required
                autocomplete="current-password";
            div.actions { (primary("submitButton", "adfs", "Sign in")) }
        }))
    };
    layout("Sign In", &content)
}

/// Posts the reply to the application, automatically where scripts run.
pub(in crate::entra) fn form_post(
    address: &str,
    parameters: &[(&str, &str)],
    nonce: &str,
) -> Markup {
    let content = html! {
        form id="hiddenform" method="post" action=(address) {
            @for (name, value) in parameters {
                input type="hidden" name=(name) value=(value);
            }
            noscript {
                p { "Script is disabled. Click Submit to continue." }
                button.primary type="submit" { "Submit" }
            }
        }
        script nonce=(nonce) { "document.getElementById('hiddenform').submit()" }
    };
    layout("Working...", &content)
}
