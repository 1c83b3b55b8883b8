#pragma once
// Faults: signals that a candidate raises, turned into a verdict with the address, buffer, element and CUDA
// thread. The first thread that faults reports and ends the process.

namespace kevolve::cpu::runner {

/// Installs the handlers; they send their report over `socket`. Every thread must have an alternate signal
/// stack.
void report_faults(int socket);

}  // namespace kevolve::cpu::runner
