// The commands. Each takes the words behind its name and returns tarn's exit status; it throws
// Failure for what goes wrong, and Interrupted when a signal asks it to end.
#pragma once

#include <string>
#include <vector>

namespace tarn::cli {

[[nodiscard]] int run(const std::vector<std::string>& words);
// Becomes the program if no option of ours is among the words and nothing is to be said; else returns or throws, and nothing
// has happened. May be called before the constructors of static objects.
void run_at_once(const std::vector<std::string>& words);
[[nodiscard]] int doctor(const std::vector<std::string>& words);
[[nodiscard]] int ledger(const std::vector<std::string>& words);
[[nodiscard]] int top(const std::vector<std::string>& words);
[[nodiscard]] int snapshot(const std::vector<std::string>& words);
[[nodiscard]] int map(const std::vector<std::string>& words);
[[nodiscard]] int sites(const std::vector<std::string>& words);
[[nodiscard]] int release(const std::vector<std::string>& words);
[[nodiscard]] int why(const std::vector<std::string>& words);
[[nodiscard]] int diff(const std::vector<std::string>& words);

}  // namespace tarn::cli
