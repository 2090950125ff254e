//! A VST3 file in memory.

use std::ffi::{OsString, c_void};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

use libloading::{Library, Symbol};
use vst3::Steinberg::Vst::{IComponent, IHostApplication};
use vst3::Steinberg::*;
use vst3::{ComPtr, ComWrapper, Interface};

use super::com::Application;
use crate::plugin::HostError;

/// What a loaded file offers; it stays loaded until the process ends.
pub(super) struct Module {
    factory: ComPtr<IPluginFactory>,
    application: ComPtr<IHostApplication>,
}

static MODULE: Mutex<Option<(OsString, &'static Module)>> = Mutex::new(None);

type ModuleEntry = unsafe extern "system" fn(*mut c_void) -> bool;
type GetPluginFactory = unsafe extern "system" fn() -> *mut IPluginFactory;

impl Module {
    /// Loads a file, unless it is loaded.
    pub(super) fn load(path: &Path) -> Result<&'static Module, HostError> {
        let mut loaded = MODULE.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some((known, module)) if known == path.as_os_str() => Ok(module),
            _ => {
                let module: &Module = Box::leak(Box::new(Module::load_anew(path)?));
                *loaded = Some((path.as_os_str().to_owned(), module));
                Ok(module)
            }
        }
    }

    fn load_anew(path: &Path) -> Result<Module, HostError> {
        let not_loaded = |reason: String| HostError::NotLoaded { path: path.to_owned(), reason };
        let missing = |error: libloading::Error| not_loaded(error.to_string());
        // SAFETY: it is our own plugin, which does nothing when it is loaded.
        let library: &Library = Box::leak(Box::new(unsafe { Library::new(path) }.map_err(missing)?));
        if cfg!(target_os = "linux") {
            // SAFETY: this is the entry's signature. It gets no handle, which nice-plug has no use for.
            let entered = unsafe {
                let entry: Symbol<ModuleEntry> = library.get(b"ModuleEntry").map_err(missing)?;
                entry(null_mut())
            };
            if !entered {
                return Err(not_loaded("its entry fails".to_owned()));
            }
        }
        // SAFETY: this is the function's signature; it gives a pointer to an object that is ours to release.
        let factory = unsafe {
            let get: Symbol<GetPluginFactory> = library.get(b"GetPluginFactory").map_err(missing)?;
            ComPtr::from_raw(get())
        };
        let application = ComWrapper::new(Application).to_com_ptr();
        match (factory, application) {
            (Some(factory), Some(application)) => Ok(Module { factory, application }),
            _ => Err(not_loaded("it makes no plugins".to_owned())),
        }
    }

    /// Makes a plugin.
    pub(super) fn component(&self) -> Result<ComPtr<IComponent>, HostError> {
        let mut object = null_mut();
        // SAFETY: the factory lives and writes to what it is given; for the information zeros are a value. It is asked
        // for a component, so what it gives is one, ours to release.
        let component = unsafe {
            let mut class: PClassInfo = std::mem::zeroed();
            self.factory.getClassInfo(0, &mut class);
            let interface = IComponent::IID.as_ptr().cast();
            self.factory.createInstance(class.cid.as_ptr(), interface, &mut object);
            ComPtr::from_raw(object.cast::<IComponent>())
        };
        component.ok_or(HostError::Refused("to be made"))
    }

    /// What a plugin is told about the host.
    pub(super) fn context(&self) -> *mut FUnknown {
        self.application.as_ptr().cast()
    }
}
