//! The engine: how compiled code runs, and where instances live.

use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

/// How often a busy instance gives way.
const TICK: Duration = Duration::from_millis(10);
/// How much of a released memory is kept and cleared for the next instance, instead of being
/// returned to the system, in bytes.
const MEMORY_KEPT: usize = 256 << 10;
/// The same for a stack.
const STACK_KEPT: usize = 32 << 10;
/// The same for tables of functions.
const TABLE_KEPT: usize = 16 << 10;
/// How much address space a memory reserves at first, and grows by, where the system grants little,
/// in bytes.
const SMALL_RESERVATION: u64 = 16 << 20;
/// The guard region of such a memory, in bytes.
const SMALL_GUARD: u64 = 64 << 10;

/// An engine for this many concurrent instances, whose epoch advances with every tick.
///
/// It reserves address space for all of them in a pool, which makes a new instance several times
/// cheaper. Where the system does not grant so much, such as under `ulimit -v`, instances reserve
/// what they use, and run slower.
///
/// # Errors
/// When the runtime cannot be set up on this machine.
pub(crate) fn start(max_instances: u32) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let mut pooled = config.clone();
    pooled.allocation_strategy(pool(max_instances));
    config
        .memory_reservation(SMALL_RESERVATION)
        .memory_reservation_for_growth(SMALL_RESERVATION)
        .memory_guard_size(SMALL_GUARD);
    let engine = Engine::new(&pooled).or_else(|_| Engine::new(&config))?;
    start_ticking(&engine)?;
    Ok(engine)
}

fn pool(max_instances: u32) -> PoolingAllocationConfig {
    /// The connector's, and that of an adapter it is composed with.
    const MEMORIES: u32 = 2;
    /// Those two, and the small modules that connect them to their imports.
    const MODULES: u32 = 8;

    let modules = max_instances.saturating_mul(MODULES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(max_instances)
        .total_stacks(max_instances)
        .total_core_instances(modules)
        .total_memories(max_instances.saturating_mul(MEMORIES))
        .total_tables(modules)
        .linear_memory_keep_resident(MEMORY_KEPT)
        .async_stack_keep_resident(STACK_KEPT)
        .table_keep_resident(TABLE_KEPT)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Advances the engine's epoch for as long as the engine exists.
fn start_ticking(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new()
        .name("connector-epochs".to_owned())
        .spawn(tick)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, Store};

    use super::*;

    /// No system grants this much; instances must run nevertheless.
    #[test]
    fn instances_run_without_address_space_for_the_pool() {
        let engine = start(u32::MAX).unwrap();
        // A module of one memory of one page.
        let module = Module::new(&engine, b"\0asm\x01\0\0\0\x05\x03\x01\0\x01").unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        Instance::new(&mut store, &module, &[]).unwrap();
    }
}
