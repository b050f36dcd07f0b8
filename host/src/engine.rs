//! The engine: how compiled code runs, and where instances live.

use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

/// How often a busy instance gives way.
const TICK: Duration = Duration::from_millis(10);
/// How much of a memory that was given back is kept to be cleared for the next instance,
/// instead of being asked of the system again, in bytes.
const MEMORY_KEPT: usize = 256 << 10;
/// The same of a stack.
const STACK_KEPT: usize = 32 << 10;
/// The same of the tables of functions.
const TABLE_KEPT: usize = 16 << 10;
/// How much address space a memory begins with, and grows by, where little is granted, in bytes.
const SMALL_RESERVATION: u64 = 16 << 20;
/// How much of it is left empty around such a memory.
const SMALL_GUARD: u64 = 64 << 10;

/// An engine for so many instances at once, whose epoch advances with every tick.
///
/// Their places are laid out beforehand, in address space alone, which makes a new instance
/// several times cheaper. A system that does not grant that much of it, such as one under
/// `ulimit -v`, gets an engine whose instances take what they use and run slower.
///
/// # Errors
/// When the runtime cannot be set up on this machine.
pub(crate) fn start(most_instances: u32) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let mut pooled = config.clone();
    pooled.allocation_strategy(pool(most_instances));
    config
        .memory_reservation(SMALL_RESERVATION)
        .memory_reservation_for_growth(SMALL_RESERVATION)
        .memory_guard_size(SMALL_GUARD);
    let engine = Engine::new(&pooled).or_else(|_| Engine::new(&config))?;
    start_ticking(&engine)?;
    Ok(engine)
}

fn pool(most_instances: u32) -> PoolingAllocationConfig {
    /// That of the connector, and that of an adapter it is composed with.
    const MEMORIES: u32 = 2;
    /// Besides those two there are the small modules that tie them to their imports.
    const MODULES: u32 = 8;

    let modules = most_instances.saturating_mul(MODULES);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(most_instances)
        .total_stacks(most_instances)
        .total_core_instances(modules)
        .total_memories(most_instances.saturating_mul(MEMORIES))
        .total_tables(modules)
        .linear_memory_keep_resident(MEMORY_KEPT)
        .async_stack_keep_resident(STACK_KEPT)
        .table_keep_resident(TABLE_KEPT)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Advances the engine's epoch for as long as anybody holds it.
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

    /// No system grants this much; instances must run all the same.
    #[test]
    fn without_address_space_for_all_there_are_instances_still() {
        let engine = start(u32::MAX).unwrap();
        // A module of one memory of one page.
        let module = Module::new(&engine, b"\0asm\x01\0\0\0\x05\x03\x01\0\x01").unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        Instance::new(&mut store, &module, &[]).unwrap();
    }
}
