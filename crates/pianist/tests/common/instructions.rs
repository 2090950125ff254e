//! What this machine can compute on.

use etude_pianist::engine::Instructions;
use etude_pianist::kernel::request_tiles;

/// Every instruction set that this machine has, with those that must be asked for.
pub fn every_instruction_set() -> Vec<Instructions> {
    request_tiles();
    Instructions::available()
}
