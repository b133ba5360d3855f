# How Tarn's own sources are compiled. Three bundles of flags, carried by interface targets
# that are linked PRIVATE, so that nothing here reaches a program that uses Tarn.

find_package(Threads REQUIRED)

# Warnings for all of our sources. -Wundef because a misspelt macro in an #if is silently 0.
# They become errors where a preset sets CMAKE_COMPILE_WARNING_AS_ERROR.
add_library(tarn_warnings INTERFACE)
target_compile_options(tarn_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef
    -Wcast-align -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
# gcc 12 takes the standard library's own string concatenation for an overlapping copy (PR 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(tarn_warnings INTERFACE -Wno-restrict)
endif()

# Sanitizers, coverage and costly assertions: the whole tree has them or none of it.
add_library(tarn_instrumentation INTERFACE)
if(TARN_SANITIZE)
    list(JOIN TARN_SANITIZE "," tarn_sanitizers)
    target_compile_options(tarn_instrumentation INTERFACE
        -fsanitize=${tarn_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(tarn_instrumentation INTERFACE -fsanitize=${tarn_sanitizers})
    if("undefined" IN_LIST TARN_SANITIZE)
        # The vptr check needs run-time type information, which the core is compiled without.
        target_compile_options(tarn_instrumentation INTERFACE -fno-sanitize=vptr)
    endif()
endif()
if(TARN_EXPENSIVE_CHECKS)
    target_compile_definitions(tarn_instrumentation INTERFACE TARN_EXPENSIVE_CHECKS)
endif()
if(TARN_FUZZ)
    target_compile_options(tarn_instrumentation INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TARN_COVERAGE)
    target_compile_options(tarn_instrumentation INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(tarn_instrumentation INTERFACE --coverage)
endif()

# The core lives inside other people's processes, also where there is no C++ runtime library:
# no exceptions, no type information, no guard variables, and no symbol seen that isn't meant to be.
add_library(tarn_core_flags INTERFACE)
target_compile_options(tarn_core_flags INTERFACE
    -fno-exceptions -fno-rtti -fno-threadsafe-statics
    -fvisibility=hidden -fvisibility-inlines-hidden
    -fPIC -ffunction-sections -fdata-sections)

# What is only linked into programs throws exceptions, as programs do.
add_library(tarn_program_flags INTERFACE)
target_compile_options(tarn_program_flags INTERFACE -fPIC -ffunction-sections -fdata-sections)

# What a preloaded library is linked with in place of the compiler's default libraries. libgcc.a holds
# the few arithmetic helpers a compiler may call; its shared sibling libgcc_s is what must not be needed.
add_library(tarn_libc INTERFACE)
target_link_libraries(tarn_libc INTERFACE gcc c)

# Attributes common to every target of ours.
function(tarn_compile_as_ours target)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_link_libraries(${target} PRIVATE
        $<BUILD_INTERFACE:tarn_warnings> $<BUILD_INTERFACE:tarn_instrumentation>)
    # Optimising what sanitizers add to the command's formatting takes the compiler up to a minute for one
    # file, a third of that without; and the command has no loop worth it.
    if(TARN_SANITIZE AND NOT TARN_FUZZ AND CMAKE_CURRENT_SOURCE_DIR MATCHES "/tools$")
        target_compile_options(${target} PRIVATE -O0)
    endif()
endfunction()

# Where it runs under ThreadSanitizer, addresses are kept from being randomised: its runtime
# (gcc 12, clang 14) ends the program at once where the kernel uses more random bits than it expects.
set(TARN_TEST_LAUNCHER "")
if("thread" IN_LIST TARN_SANITIZE)
    find_program(TARN_SETARCH setarch)
    if(TARN_SETARCH)
        set(TARN_TEST_LAUNCHER ${TARN_SETARCH} --addr-no-randomize)
    endif()
endif()
