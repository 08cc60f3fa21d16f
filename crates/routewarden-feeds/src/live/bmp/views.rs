//! Which of a router's tables are used.

use routewarden_wire::bmp::{PeerHeader, PeerType, View};
use serde::Deserialize;

/// Which side of the policy is used of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicySide {
    /// Before the policy; after it for a peer of which nothing is told before it.
    Auto,
    /// Before the policy.
    Pre,
    /// After the policy.
    Post,
    /// Neither.
    None,
}

/// Which views are used. What is told of others is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewsConfig {
    /// Routes that peers sent (`auto`).
    pub adj_rib_in: PolicySide,
    /// Routes sent to peers (RFC 8671; `none`).
    pub adj_rib_out: PolicySide,
    /// Routes that the router uses (RFC 9069; `false`).
    pub loc_rib: bool,
}

impl Default for ViewsConfig {
    fn default() -> Self {
        ViewsConfig { adj_rib_in: PolicySide::Auto, adj_rib_out: PolicySide::None, loc_rib: false }
    }
}

impl ViewsConfig {
    /// Whether a view is used of a peer; `has_pre` says whether the table was told before its
    /// policy.
    pub(super) fn takes(self, view: View, has_pre: bool) -> bool {
        let takes = |side: PolicySide, is_post: bool| match side {
            PolicySide::Auto => !is_post || !has_pre,
            PolicySide::Pre => !is_post,
            PolicySide::Post => is_post,
            PolicySide::None => false,
        };
        match view {
            View::AdjRibInPre => takes(self.adj_rib_in, false),
            View::AdjRibInPost => takes(self.adj_rib_in, true),
            View::AdjRibOutPre => takes(self.adj_rib_out, false),
            View::AdjRibOutPost => takes(self.adj_rib_out, true),
            View::LocRib => self.loc_rib,
        }
    }
}

/// Where a view stands in a list of one thing for each.
pub(super) const fn slot(view: View) -> usize {
    match view {
        View::AdjRibInPre => 0,
        View::AdjRibInPost => 1,
        View::AdjRibOutPre => 2,
        View::AdjRibOutPost => 3,
        View::LocRib => 4,
    }
}

/// Number of views.
pub(super) const VIEWS: usize = 5;

/// The view of the same table before its policy.
pub(super) const fn pre(view: View) -> View {
    match view {
        View::AdjRibInPost => View::AdjRibInPre,
        View::AdjRibOutPost => View::AdjRibOutPre,
        other => other,
    }
}

/// The view of the same table after its policy.
pub(super) const fn post(view: View) -> View {
    match view {
        View::AdjRibInPre => View::AdjRibInPost,
        View::AdjRibOutPre => View::AdjRibOutPost,
        other => other,
    }
}

/// Kind under which messages of a view that is not used are counted.
pub(super) const fn not_used(view: View) -> &'static str {
    match view {
        View::AdjRibInPre => "bmp_not_used_adj_rib_in_pre",
        View::AdjRibInPost => "bmp_not_used_adj_rib_in_post",
        View::AdjRibOutPre => "bmp_not_used_adj_rib_out_pre",
        View::AdjRibOutPost => "bmp_not_used_adj_rib_out_post",
        View::LocRib => "bmp_not_used_loc_rib",
    }
}

/// Collector of a peer's routes in a view.
pub(super) fn collector(router: &str, peer: &PeerHeader, view: View) -> String {
    let distinguisher = peer.distinguisher;
    let instance = match peer.peer_type {
        PeerType::Local => format!("/local-{:x}", distinguisher.0),
        _ if distinguisher.0 != 0 => format!("/vrf-{distinguisher}"),
        _ => String::new(),
    };
    let view = match view {
        View::AdjRibInPre => "",
        View::AdjRibInPost => "/post",
        View::AdjRibOutPre => "/out-pre",
        View::AdjRibOutPost => "/out",
        View::LocRib => "/loc",
    };
    format!("{router}{instance}{view}")
}
