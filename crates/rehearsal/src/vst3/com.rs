//! The objects that a VST3 plugin gets from this host.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vst3::Steinberg::IBStream_::IStreamSeekMode_;
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComWrapper};

/// Who we are.
pub(super) struct Application;

impl Class for Application {
    type Interfaces = (IHostApplication,);
}

impl IHostApplicationTrait for Application {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        let mut letters = [0; 128];
        for (letter, code) in letters.iter_mut().zip("Etude rehearsal".encode_utf16()) {
            *letter = code as TChar;
        }
        // SAFETY: the plugin gives room for a name.
        unsafe { name.write(letters) };
        kResultOk
    }

    unsafe fn createInstance(&self, _: *mut TUID, _: *mut TUID, _: *mut *mut c_void) -> tresult {
        kNotImplemented
    }
}

/// Events on their way into a plugin or out of it.
#[derive(Default)]
pub(super) struct Events(pub(super) Mutex<Vec<Event>>);

impl Class for Events {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for Events {
    unsafe fn getEventCount(&self) -> int32 {
        lock(&self.0).len() as int32
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        match lock(&self.0).get(index as usize) {
            Some(found) => {
                // SAFETY: the plugin gives room for an event.
                unsafe { event.write(*found) };
                kResultOk
            }
            None => kInvalidArgument,
        }
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        let mut events = lock(&self.0);
        // A plugin that may not allocate sees a host that does not either.
        if events.len() == events.capacity() {
            return kOutOfMemory;
        }
        // SAFETY: the plugin gives an event.
        events.push(unsafe { event.read() });
        kResultOk
    }
}

/// Knobs that are turned at the start of a block.
pub(super) struct Turns(pub(super) Vec<ComPtr<IParamValueQueue>>);

impl Class for Turns {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Turns {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.0.get(index as usize).map_or(std::ptr::null_mut(), ComPtr::as_ptr)
    }

    unsafe fn addParameterData(&self, _: *const ParamID, _: *mut int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}

/// One knob that is turned.
pub(super) struct Turn(pub(super) u32, pub(super) f64);

impl Class for Turn {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Turn {
    unsafe fn getParameterId(&self) -> ParamID {
        self.0
    }

    unsafe fn getPointCount(&self) -> int32 {
        1
    }

    unsafe fn getPoint(&self, _: int32, sample: *mut int32, value: *mut ParamValue) -> tresult {
        // SAFETY: the plugin gives room for both.
        unsafe {
            sample.write(0);
            value.write(self.1);
        }
        kResultOk
    }

    unsafe fn addPoint(&self, _: int32, _: ParamValue, _: *mut int32) -> tresult {
        kNotImplemented
    }
}

/// A saved state: bytes, and where reading and writing is.
#[derive(Default)]
pub(super) struct Stream(Mutex<(Vec<u8>, usize)>);

impl Stream {
    /// One to read from.
    pub(super) fn of(bytes: &[u8]) -> Stream {
        Stream(Mutex::new((bytes.to_vec(), 0)))
    }

    /// The object that a plugin gets.
    pub(super) fn into_com(self) -> StreamObject {
        StreamObject(ComWrapper::new(self))
    }
}

/// A stream that a plugin reads or writes while this lives.
pub(super) struct StreamObject(ComWrapper<Stream>);

impl StreamObject {
    /// What a plugin gets; it stays ours.
    pub(super) fn pointer(&self) -> *mut IBStream {
        self.0.as_com_ref::<IBStream>().map_or(std::ptr::null_mut(), |stream| stream.as_ptr())
    }

    /// What was written.
    pub(super) fn bytes(&self) -> Vec<u8> {
        lock(&self.0.0).0.clone()
    }
}

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, length: int32, read: *mut int32) -> tresult {
        let (bytes, position) = &mut *lock(&self.0);
        let rest = bytes.get(*position..).unwrap_or(&[]);
        let count = usize::try_from(length).unwrap_or(0).min(rest.len());
        // SAFETY: the plugin gives room for `length` bytes, and for their number if it wants to know it.
        unsafe {
            std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), count);
            if let Some(read) = read.as_mut() {
                *read = count as int32;
            }
        }
        *position += count;
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, length: int32, written: *mut int32) -> tresult {
        let (bytes, position) = &mut *lock(&self.0);
        let count = usize::try_from(length).unwrap_or(0);
        bytes.truncate(*position);
        // SAFETY: the plugin gives `length` bytes, and room for their number if it wants to know it.
        unsafe {
            bytes.extend_from_slice(std::slice::from_raw_parts(buffer.cast(), count));
            if let Some(written) = written.as_mut() {
                *written = length;
            }
        }
        *position += count;
        kResultOk
    }

    unsafe fn seek(&self, offset: int64, mode: int32, result: *mut int64) -> tresult {
        let (bytes, position) = &mut *lock(&self.0);
        let base = match mode as u32 {
            mode if mode == IStreamSeekMode_::kIBSeekSet as u32 => 0,
            mode if mode == IStreamSeekMode_::kIBSeekCur as u32 => *position,
            _ => bytes.len(),
        };
        *position = (base as i64).saturating_add(offset).clamp(0, bytes.len() as i64) as usize;
        // SAFETY: the plugin gives room for the position if it wants to know it.
        if let Some(result) = unsafe { result.as_mut() } {
            *result = *position as i64;
        }
        kResultOk
    }

    unsafe fn tell(&self, position: *mut int64) -> tresult {
        // SAFETY: the plugin gives room for it.
        unsafe { position.write(lock(&self.0).1 as i64) };
        kResultOk
    }
}

/// The letters before the first zero.
pub(super) fn text(letters: &[TChar]) -> String {
    let letters: Vec<u16> =
        letters.iter().map(|letter| *letter as u16).take_while(|code| *code != 0).collect();
    String::from_utf16_lossy(&letters)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
