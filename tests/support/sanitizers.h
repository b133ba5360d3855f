// What tests can't do where a sanitizer's runtime is in the process.
#pragma once

namespace tarn::test {

// A limit on addresses: the runtimes of AddressSanitizer and ThreadSanitizer reserve more than any limit
// leaves. Tests that need one skip with this text.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool addresses_can_be_limited = false;
#else
inline constexpr bool addresses_can_be_limited = true;
#endif
inline constexpr const char* why_addresses_cannot_be_limited =
    "the sanitizer's runtime needs more addresses than any limit leaves";

}  // namespace tarn::test
