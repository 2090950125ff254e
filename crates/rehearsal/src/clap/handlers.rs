//! What a CLAP plugin may ask of this host.

use std::sync::atomic::{AtomicBool, Ordering};

use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
    PluginParams,
};
use clack_extensions::render::PluginRender;
use clack_extensions::state::{HostState, HostStateImpl, PluginState};
use clack_host::prelude::*;
use clack_host::utils::ClapId;

/// The extensions of a plugin that this host uses.
#[derive(Clone, Copy)]
pub(super) struct Extensions {
    pub(super) params: PluginParams,
    pub(super) state: PluginState,
    pub(super) render: Option<PluginRender>,
}

impl Extensions {
    /// What a plugin has; `None` if it lacks one that Etude must have.
    pub(super) fn of(plugin: &PluginMainThreadHandle) -> Option<Extensions> {
        Some(Extensions {
            params: plugin.get_extension()?,
            state: plugin.get_extension()?,
            render: plugin.get_extension(),
        })
    }
}

pub(super) struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Shared) {
        builder.register::<HostState>().register::<HostParams>();
    }
}

/// What all threads see.
#[derive(Default)]
pub(super) struct Shared {
    /// Whether the plugin asked for the main thread.
    requested: AtomicBool,
}

impl Shared {
    /// Whether the plugin asked for the main thread since the last time.
    pub(super) fn take_request(&self) -> bool {
        self.requested.swap(false, Ordering::SeqCst)
    }
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.requested.store(true, Ordering::SeqCst);
    }
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {}
}

pub(super) struct MainThread;

impl MainThreadHandler<'_> for MainThread {}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {}
}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, _: ParamRescanFlags) {}

    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}
