// When a process takes snapshots of itself: at its exit, at its peak, every so often, at a signal, or when a program
// calls tarn_snapshot(). The file is written by the command `tarn`, which gets the copy's stream: a process of its own,
// and nobody's child, so that the program sees neither its end nor SQLite.
//
//   the program ──clone──► the copy ──pipe──► tarn snapshot --from-stream ──► the file
//        └── waits for the tool's last word, without the GIL ◄──pipe──┘
#pragma once

#include <atomic>

namespace tarn::python {

// With the GIL held, where Python may run. Whoever calls `take_due_snapshot` must do so from then on.
void prepare_snapshots() noexcept;

// How long the control thread may sleep before the next look, in milliseconds; -1: as long as it likes.
[[nodiscard]] int time_to_next_snapshot() noexcept;

// Takes what is due, without the GIL being held. Gives up when `stop` is set.
void take_due_snapshot(const std::atomic<bool>& stop) noexcept;

// Before Python takes its modules apart. With the GIL held, which is released meanwhile.
void take_snapshot_at_exit() noexcept;

}  // namespace tarn::python
