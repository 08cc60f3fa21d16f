import type { UserRole } from "../api/types";
import type { Section } from "../app/routes";

const sections: Record<Section, string> = { account: "Account", tokens: "API tokens", users: "Users", audit: "Audit log" };
const userRoles: Record<UserRole, string> = { viewer: "viewer", analyst: "analyst", admin: "admin" };
const roleMeans: Record<UserRole, string> = {
  viewer: "reads everything", analyst: "also works on incidents", admin: "also manages users and reads the audit log",
};

/** Who may see these pages. */
export const access = {
  logIn: "Log in", name: "Name", password: "Password", asking: "Asking…",
  forgotten: "Forgotten? Whoever runs the server sets a new one: routewarden user password NAME.",
  setUp: "The first user", setUpDo: "Make the first user",
  setUpText: "This one-time link makes the first user, who is an admin and can make others.",
  setUpLink: "Nobody can log in yet. At its first start Routewarden printed a one-time link for making the first user:",
  setUpAgain: "Open that link here. It is good once, for a day; a restart of the service makes a new one. It also stands in the file setup-link in data_dir.",
  nameForm: "a–z, 0–9, dot, underscore, hyphen", newPassword: "New password", again: "The same again",
  passwordForm: (n: number) => `At least ${n} characters; a few words are better than one odd one.`,
  differs: "The two are not the same.",
  refusals: {
    login_failed: "This name with this password is not known.",
    too_many_attempts: "Too many attempts. Wait some minutes, then try again.",
    login_needed: "You are not logged in any more. Log in again.",
    not_allowed: "Your role may not do this.",
    set_up_done: "There is a first user already. Log in.",
    setup_refused: "This link was used, is older than a day, or is not that of the last start.",
    over_limit: "There are as many as there may be.", cross_site: "The server did not take this page for its own. Is it behind a proxy without public_url?",
    access_off: "Access control is off.", access_unavailable: "The file of users cannot be read or written. Nothing was changed.",
    name_taken: "Somebody has this name already, if disabled.",
    no_such_user: "There is no such user any more.",
    no_such_token: "There is no such token any more.",
    last_admin: "This is the last admin: nobody could manage users any more.",
  } as Record<string, string>,
};

export const settings = {
  title: "Settings", sections, roleMeans,
  sentence: (name: string, role: string) => `You are logged in as ${name}, ${role}.`,
  open: "This server has no login: whoever reaches it may read.",
  notAllowed: "Only an admin may see this.",
  password: "Password", changePassword: "Change the password", passwordChanged: "The password is changed. Your other sessions have ended.",
  currentPassword: "Password now",
  browser: "This browser", browserNote: "Kept in this browser only, as are named views and the time of your last visit.",
  logOut: "Log out",
  newToken: "New token", tokenNote: "With a token programs read the API as you, never with more than its role. Only its digest is kept: it is shown once.",
  everybody: "of all users",
  label: "Used for", labelHint: "SIEM import", role: "Role", valid: "Valid for", days: (n: number) => `${n} days`,
  make: "Make token", once: "Copy it now: it will not be shown again.",
  made: "Made", expires: "Expires", expired: "expired", used: "Last used", never: "never", noTokens: "You have no token.",
  revoke: "Revoke", revokeSure: (label: string) => `Revoke “${label}”? What uses it stops working at once.`, revoked: (label: string) => `“${label}” is revoked.`,
  name: "Name", state: "State", login: "Last login", change: "Change", you: "(you)", enabled: "enabled", disabled: "disabled",
  enable: "Enable", disable: "Disable", setPassword: "Set password",
  newUser: "New user", addUser: "Make user", userMade: (name: string) => `${name} can log in now.`, userChanged: (name: string) => `${name} is changed.`,
  auditNote: "newest first; each row is chained to the one before by its hash",
  number: "No.", who: "Who", from: "From", what: "What", object: "To what", detail: "Detail", outcome: "Outcome",
  byToken: (id: number) => `token ${id}`, noAudit: "Nothing has been done yet.",
  outcomes: { ok: "done", refused: "refused", limited: "refused: too many attempts" } as Record<string, string>,
  verbs: {
    set_up: "first user made", log_in: "log in", log_out: "log out", user_add: "user made", user_role: "role changed",
    user_password: "password changed", user_disable: "user disabled", user_enable: "user enabled",
    token_add: "token made", token_revoke: "token revoked", export: "export", restore: "restored from backup",
  } as Record<string, string>,
};

export { userRoles };
