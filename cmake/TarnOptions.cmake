# Every switch of the build, with its default and its reason.

option(TARN_TESTS "Build the tests (needs GoogleTest)" ${PROJECT_IS_TOP_LEVEL})
option(TARN_TOOLS "Build the tarn command and the hook into CPython" ON)
option(TARN_BENCHMARKS "Build bench/ (needs Google Benchmark and the peer allocators)" OFF)
option(TARN_OBJECT_BENCHMARKS "Build bench/objects (uses the other object systems that are there)" OFF)
option(TARN_FUZZ "Build fuzz/ (needs clang with libFuzzer)" OFF)
option(TARN_EXPENSIVE_CHECKS "Assertions that are linear where the operation is constant" OFF)
option(TARN_COVERAGE "Count the lines and branches that tests reach" OFF)
set(TARN_SANITIZE "" CACHE STRING "Sanitizers for everything built here: 'address;undefined' or 'thread'")

# Everything an including project builds stays as it was: flags are set per target, never globally.
set(tarn_known_sanitizers address undefined thread leak)
foreach(sanitizer IN LISTS TARN_SANITIZE)
    if(NOT sanitizer IN_LIST tarn_known_sanitizers)
        message(FATAL_ERROR "TARN_SANITIZE: '${sanitizer}' is not one of: ${tarn_known_sanitizers}")
    endif()
endforeach()
if("thread" IN_LIST TARN_SANITIZE AND "address" IN_LIST TARN_SANITIZE)
    message(FATAL_ERROR "TARN_SANITIZE: thread and address exclude each other; build two trees")
endif()
if(TARN_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "TARN_FUZZ needs clang for libFuzzer; use the preset 'fuzz', or -DCMAKE_CXX_COMPILER=clang++-14")
endif()
