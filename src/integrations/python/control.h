// The control channel: `tarn release PID` and `tarn ledger PID` reach the process here. A thread, asleep
// until a client comes, listens at a Unix socket that only the same user can open (control_socket.h); it
// answers the user that the process runs as, and root, nobody else.
//
//   state      entered when                                        the thread
//   ─────      ────────────                                        ──────────
//   off        TARN_CONTROL=off, no folder, or Python is ending     none
//   listening  Python has come up                                   asleep, or busy with its one client
//   called     a fork has stopped the thread                        is started again at the next bytecode
//   forked     in a child of a fork                                 none; listening again when Python says
//                                                                  that it goes on in the child
//
// The protocol. A client sends one line of at most longest_request bytes:
//
//   release       everything that can go back to the system goes
//   statistics    what the heap holds, and what of it is resident
//   snapshot      everything that is in the heap
//   sites         where the blocks were allocated that were recorded
//   pulse         what can be said twice a second: half a millisecond at most, whatever the heap's size
//
// and gets lines, each "key value", the last of which is "end":
//
//   tarn-control 1        at once: the version of this protocol
//   begun                 the thread has Python's lock (the GIL)
//   released BYTES        of addresses, of which not all need have been resident; or
//   tarn-report 1 …       a report as at exit (docs/command.md), with lines "range START SIZE"; or
//   tarn-pulse 1 …        see pulse.h; or
//   a snapshot's stream, binary, to its end record (sight/stream_format.h); or "error …" if the system refuses
//   tarn-sites 1 …        what sites.h says, or "tarn-sites none": nothing is recorded
//   end
//
// or, in place of all behind the first line, "error WORDS" and "end".
//
// Nothing that a client does stalls the process. The thread waits a second for the request, and a second for
// the client to take the answer; then it drops it. It takes the GIL for the work alone, and not for a client
// that has gone by then. All of its memory is its stack and static.
//
// fork: the thread is stopped before if it is asleep, since 3.12 warns of forks with more than one thread. A
// child that only executes another program never listens. exit: the thread ends before Python takes its
// modules apart, and the file is removed.
#pragma once

namespace tarn::python {

// When Python has come up, with the GIL held, where Python may run. Once in a life of Python.
void start_control() noexcept;

// Before Python takes its modules apart. With the GIL held, which is released meanwhile.
void stop_control() noexcept;

// When the process ends: removes the file, if it is still there, and waits for nobody.
void abandon_control() noexcept;

}  // namespace tarn::python
