//! The progress bar: on a terminal only, with rate and time left.

use std::io::IsTerminal;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use routewarden_feeds::transport::Progress;

/// Redraws a second, at most.
const DRAWS_PER_SECOND: u8 = 8;

/// A bar over the octets of compressed input.
pub(crate) struct Bar {
    bar: ProgressBar,
    progress: Arc<Progress>,
}

impl Bar {
    /// A bar on standard error; hidden when that is no terminal, or `quiet`.
    pub(crate) fn new(what: &'static str, progress: Arc<Progress>, quiet: bool) -> Self {
        let target = if quiet || !std::io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND)
        };
        let template = "{msg} [{bar:30}] {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(progress.total_octets()), target);
        bar.set_style(style);
        bar.set_message(what);
        Bar { bar, progress }
    }

    /// Shows how far the input was read.
    pub(crate) fn update(&self) {
        self.bar.set_length(self.progress.total_octets());
        self.bar.set_position(self.progress.read_octets());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
