# The functions with which every folder declares what it builds.
#
#   tarn_add_layer(NAME tarn_alloc SOURCES pool.cpp HEADERS pool.h DEPENDS tarn_os)
#   tarn_gather_library(NAME tarn LAYERS tarn_base tarn_os tarn_alloc tarn_heap)
#   tarn_add_preload_library(NAME tarn_python OUTPUT tarn-python SOURCES hook.cpp LAYERS tarn_heap)
#   tarn_add_program(NAME tarn_cli OUTPUT tarn SOURCES main.cpp LIBRARIES CLI11::CLI11)
#   tarn_add_test(NAME pool_test SOURCES pool_test.cpp LIBRARIES tarn_alloc)
#   tarn_add_python_test(FILE test_run.py)
#   tarn_add_benchmark(NAME bench-pairs SOURCES pairs.cpp LIBRARIES Tarn::tarn)
#   tarn_add_fuzzer(NAME fuzz-heap SOURCES heap_operations.cpp LIBRARIES tarn_heap)

include_guard(GLOBAL)
# Not the distribution's multiarch folder: the command looks for its hook at ../lib/tarn.
set(CMAKE_INSTALL_LIBDIR lib CACHE PATH "Where libraries are installed, below the prefix")
include(GNUInstallDirs)
include(TarnOptions)
include(TarnCompile)

# A misspelt or a missing argument is an error here, not a target that quietly lacks something.
macro(tarn_parse_arguments function one_value multi_value required)
    cmake_parse_arguments(argument "" "${one_value}" "${multi_value}" ${ARGN})
    if(argument_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${function}: unknown argument(s): ${argument_UNPARSED_ARGUMENTS}")
    endif()
    foreach(tarn_required ${required})
        if(NOT argument_${tarn_required})
            message(FATAL_ERROR "${function}: ${tarn_required} is missing")
        endif()
    endforeach()
endmacro()

# A preloaded library names libc itself, and the linker wants it after every archive that calls it:
# so each layer asks for it, in case the target that links it all has TARN_LIBC_ONLY.
set(TARN_LIBC_FOR_PRELOADED $<$<BOOL:$<TARGET_PROPERTY:TARN_LIBC_ONLY>>:tarn_libc>)

# One folder of src/ as a static library with the core's flags. DEPENDS names the layers below,
# and is passed on to whoever links this one. Without SOURCES the layer is headers only. FLAGS names other flags
# than the core's, for a layer that the preloaded libraries don't have.
function(tarn_add_layer)
    tarn_parse_arguments(tarn_add_layer "NAME;FLAGS" "SOURCES;HEADERS;DEPENDS" "NAME" ${ARGN})
    if(argument_SOURCES)
        add_library(${argument_NAME} STATIC ${argument_SOURCES} ${argument_HEADERS})
        set(scope PUBLIC)
        tarn_compile_as_ours(${argument_NAME})
        if(NOT argument_FLAGS)
            set(argument_FLAGS tarn_core_flags)
        endif()
        target_link_libraries(${argument_NAME} PRIVATE ${argument_FLAGS})
    else()
        add_library(${argument_NAME} INTERFACE ${argument_HEADERS})
        set(scope INTERFACE)
        target_compile_features(${argument_NAME} INTERFACE cxx_std_20)
    endif()
    target_include_directories(${argument_NAME} ${scope} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${argument_NAME} ${scope} Threads::Threads ${argument_DEPENDS} ${TARN_LIBC_FOR_PRELOADED})
endfunction()

# The library that a program links: all LAYERS in one archive, so that users need to know one target
# only. Also says what is installed, and how find_package(Tarn) finds it again.
function(tarn_gather_library)
    tarn_parse_arguments(tarn_gather_library "NAME" "LAYERS" "NAME;LAYERS" ${ARGN})
    set(objects "")
    foreach(layer IN LISTS argument_LAYERS)
        get_target_property(type ${layer} TYPE)
        if(NOT type STREQUAL "INTERFACE_LIBRARY")
            list(APPEND objects $<TARGET_OBJECTS:${layer}>)
        endif()
    endforeach()
    add_library(${argument_NAME} STATIC ${objects})
    add_library(Tarn::${argument_NAME} ALIAS ${argument_NAME})
    set_target_properties(${argument_NAME} PROPERTIES LINKER_LANGUAGE CXX)
    tarn_compile_as_ours(${argument_NAME})
    target_include_directories(${argument_NAME} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${argument_NAME} PUBLIC Threads::Threads)
    # A program that links instrumented objects needs the instrumentation's runtime.
    get_target_property(options tarn_instrumentation INTERFACE_LINK_OPTIONS)
    if(options)
        target_link_options(${argument_NAME} INTERFACE ${options})
    endif()
    install(TARGETS ${argument_NAME} EXPORT TarnTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

# Whether the linker takes the linker script when it links a preloaded library: `taken` is set to that. GNU ld and lld do,
# gold and mold know no INSERT. Asked again when the flags that choose the linker change.
function(tarn_check_layout layout taken)
    include(CheckCXXSourceCompiles)
    include(CMakePushCheckState)
    string(MAKE_C_IDENTIFIER "TARN_LINKER_TAKES_LAYOUT${CMAKE_MODULE_LINKER_FLAGS}" answer)
    cmake_push_check_state(RESET)
    set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_MODULE_LINKER_FLAGS}")
    set(CMAKE_REQUIRED_FLAGS -fPIC)
    set(CMAKE_REQUIRED_LINK_OPTIONS -shared -Wl,-T,${layout})
    # A constant, a call of another library's function, and code of its own: what the script's sections stand beside.
    check_cxx_source_compiles("#include <unistd.h>\nextern const int constant[2];\nconst int constant[2] = {1, 2};\nint function();\nint function() { return getpid() + constant[0]; }"
        ${answer})
    cmake_pop_check_state()
    set(${taken} ${${answer}} PARENT_SCOPE)
endfunction()

# A shared library to be preloaded into a process that may have no C++ runtime library: it needs
# nothing but libc. A symbol that would need more is an error when it is linked, not when it is loaded.
# Exceptions: a sanitizer or coverage tree, whose runtimes bring their own libraries.
# The code of BESIDE's layers is laid out next to SOURCES, not behind that of all LAYERS: the system brings a
# file into memory by 16 pages around the one that is touched. LAYOUT, a linker script, says more precisely what lies
# where.
function(tarn_add_preload_library)
    tarn_parse_arguments(tarn_add_preload_library "NAME;OUTPUT;LAYOUT" "SOURCES;HEADERS;LAYERS;BESIDE" "NAME;OUTPUT;SOURCES;LAYERS" ${ARGN})
    set(beside "")
    foreach(layer IN LISTS argument_BESIDE)
        list(APPEND beside $<TARGET_OBJECTS:${layer}>)
    endforeach()
    add_library(${argument_NAME} MODULE ${argument_SOURCES} ${argument_HEADERS} ${beside})
    set_target_properties(${argument_NAME} PROPERTIES OUTPUT_NAME ${argument_OUTPUT} PREFIX lib)
    tarn_compile_as_ours(${argument_NAME})
    target_include_directories(${argument_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${argument_NAME} PRIVATE tarn_core_flags ${argument_LAYERS})
    # -Bsymbolic: our own calls reach our own functions, whatever the host process defines.
    # --exclude-libs: nothing of the archives is visible, only what the hook itself marks.
    target_link_options(${argument_NAME} PRIVATE
        -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,-Bsymbolic -Wl,-z,relro -Wl,-z,now)
    if(NOT TARN_SANITIZE AND NOT TARN_COVERAGE AND NOT TARN_FUZZ)
        set_target_properties(${argument_NAME} PROPERTIES TARN_LIBC_ONLY ON)
        if(argument_LAYOUT)
            file(REAL_PATH ${argument_LAYOUT} layout BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
            tarn_check_layout(${layout} linker_takes_layout)
            if(linker_takes_layout)
                # No _init and _fini, which do nothing: the latter is the last function of the file, alone on its pages.
                target_link_options(${argument_NAME} PRIVATE -Wl,-T,${layout} -Wl,-init,tarn_no_init -Wl,-fini,tarn_no_fini)
                set_target_properties(${argument_NAME} PROPERTIES LINK_DEPENDS ${layout})
            else()
                message(STATUS "This linker doesn't take ${argument_LAYOUT}: each process on Tarn has some 150 KiB more of the library resident than where GNU ld or lld links it")
            endif()
        endif()
        # The one function that the C library links in goes beside SOURCES too.
        target_link_options(${argument_NAME} PRIVATE -nodefaultlibs -Wl,-z,defs -Wl,-u,pthread_atfork -lc)
        target_link_libraries(${argument_NAME} PRIVATE ${TARN_LIBC_FOR_PRELOADED})
    endif()
    install(TARGETS ${argument_NAME} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tarn)
endfunction()

# Loading and relocating the C++ runtime library takes a program as long as all else that it does before it
# executes another. Static, but at random addresses like any other program.
set(TARN_LINKS_STATIC_PROGRAMS OFF)
if(TARN_STATIC_COMMAND AND NOT TARN_SANITIZE AND NOT TARN_COVERAGE AND NOT TARN_FUZZ)
    include(CheckCXXSourceCompiles)
    include(CMakePushCheckState)
    cmake_push_check_state(RESET)
    set(CMAKE_REQUIRED_FLAGS -fPIE)
    set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
    check_cxx_source_compiles("#include <string>\nint main(int count, char** words) { return std::string(words[0]).size() == std::size_t(count); }"
        TARN_CAN_LINK_STATIC_PROGRAMS)
    cmake_pop_check_state()
    set(TARN_LINKS_STATIC_PROGRAMS ${TARN_CAN_LINK_STATIC_PROGRAMS})
endif()

# A program that is installed. It may use all of C++, but no function of the C library that loads others at run
# time (names of users and hosts, conversions of character sets).
function(tarn_add_program)
    tarn_parse_arguments(tarn_add_program "NAME;OUTPUT" "SOURCES;HEADERS;LIBRARIES" "NAME;SOURCES" ${ARGN})
    add_executable(${argument_NAME} ${argument_SOURCES} ${argument_HEADERS})
    if(argument_OUTPUT)
        set_target_properties(${argument_NAME} PROPERTIES OUTPUT_NAME ${argument_OUTPUT})
    endif()
    tarn_compile_as_ours(${argument_NAME})
    target_include_directories(${argument_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${argument_NAME} PRIVATE ${argument_LIBRARIES})
    if(TARN_LINKS_STATIC_PROGRAMS)
        set_target_properties(${argument_NAME} PROPERTIES POSITION_INDEPENDENT_CODE ON)
        target_link_options(${argument_NAME} PRIVATE -static-pie -Wl,--gc-sections)
    endif()
    install(TARGETS ${argument_NAME} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# A GoogleTest program, each TEST of which is a test of ctest named "<folder>/<suite>.<test>", labelled
# with its folder below tests/ ("alloc", "integrations/python"). LABELS adds labels; the labels
# no-asan and no-tsan keep a test out of that preset (say why beside it). TIMEOUT: seconds for one TEST.
# ENVIRONMENT: "NAME=value" for each. BY_SUITE: each suite is one test of ctest, for programs of so many small TESTs
# that starting a process for each would take longer than they do.
function(tarn_add_test)
    cmake_parse_arguments(flags "BY_SUITE" "" "" ${ARGN})
    list(REMOVE_ITEM ARGN BY_SUITE)
    tarn_parse_arguments(tarn_add_test "NAME;TIMEOUT" "SOURCES;LIBRARIES;LABELS;DEFINITIONS;ENVIRONMENT" "NAME;SOURCES" ${ARGN})
    if(NOT TARN_TESTS)
        return()
    endif()
    find_package(GTest REQUIRED)
    include(GoogleTest)
    if(NOT argument_TIMEOUT)
        set(argument_TIMEOUT 120)
    endif()
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})

    add_executable(${argument_NAME} ${argument_SOURCES})
    tarn_compile_as_ours(${argument_NAME})
    target_include_directories(${argument_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${argument_NAME} PRIVATE ${argument_DEFINITIONS})
    target_link_libraries(${argument_NAME} PRIVATE ${argument_LIBRARIES} GTest::gmock GTest::gtest_main)
    if(TARN_TEST_LAUNCHER)
        set_target_properties(${argument_NAME} PROPERTIES CROSSCOMPILING_EMULATOR "${TARN_TEST_LAUNCHER}")
    endif()
    set(listed ${CMAKE_CURRENT_BINARY_DIR}/${argument_NAME}_properties.cmake)
    set(properties "TIMEOUT ${argument_TIMEOUT}\n    LABELS [==[${folder};${argument_LABELS}]==]\n    ENVIRONMENT [==[${argument_ENVIRONMENT}]==]")
    if(flags_BY_SUITE)
        file(GENERATE OUTPUT ${listed} CONTENT "set(program [==[$<TARGET_FILE:${argument_NAME}>]==])
set(launcher [==[${TARN_TEST_LAUNCHER}]==])
set(folder [==[${folder}]==])
include([==[${PROJECT_SOURCE_DIR}/cmake/TarnSuites.cmake]==])
set_tests_properties(\${suites} PROPERTIES\n    ${properties})\n")
        set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${listed})
        return()
    endif()
    # PRE_TEST: the tests are listed when ctest runs, so that a program that crashes at start fails the
    # tests and not the build.
    # Parameters have names of their own here; the printed value would follow the name.
    gtest_discover_tests(${argument_NAME} NO_PRETTY_VALUES
        TEST_PREFIX "${folder}/" TEST_LIST ${argument_NAME}_tests DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 30)
    # Properties that are lists don't survive gtest_discover_tests, so ctest reads them from a file of ours.
    file(WRITE ${listed} "set_tests_properties(\${${argument_NAME}_tests} PROPERTIES\n    ${properties})\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${listed})
endfunction()

# A file of Python's unittest below tests/, as one test of ctest named by its path. The Python is TARN_PYTHON;
# LABELS, TIMEOUT and ENVIRONMENT as above. TARN_BUILD is set to the build tree.
function(tarn_add_python_test)
    tarn_parse_arguments(tarn_add_python_test "FILE;TIMEOUT" "LABELS;ENVIRONMENT" "FILE" ${ARGN})
    if(NOT TARN_TESTS)
        return()
    endif()
    if(NOT argument_TIMEOUT)
        set(argument_TIMEOUT 120)
    endif()
    file(REAL_PATH ${argument_FILE} path BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/tests ${path})
    get_filename_component(folder ${path} DIRECTORY)
    add_test(NAME ${path} COMMAND ${TARN_PYTHON} -B -m unittest ${path} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/tests)
    # Those that may take long begin first, so that nothing waits for one alone at the end.
    set_tests_properties(${path} PROPERTIES TIMEOUT ${argument_TIMEOUT} COST ${argument_TIMEOUT}
        LABELS "${folder};${argument_LABELS}" ENVIRONMENT "TARN_BUILD=${PROJECT_BINARY_DIR};${argument_ENVIRONMENT}")
endfunction()

# A Google Benchmark program; nothing unless TARN_BENCHMARKS is on.
function(tarn_add_benchmark)
    tarn_parse_arguments(tarn_add_benchmark "NAME" "SOURCES;LIBRARIES;DEFINITIONS" "NAME;SOURCES" ${ARGN})
    if(NOT TARN_BENCHMARKS)
        return()
    endif()
    find_package(benchmark REQUIRED)
    add_executable(${argument_NAME} ${argument_SOURCES})
    tarn_compile_as_ours(${argument_NAME})
    target_include_directories(${argument_NAME} PRIVATE ${PROJECT_SOURCE_DIR}/bench)
    target_compile_definitions(${argument_NAME} PRIVATE ${argument_DEFINITIONS})
    target_link_libraries(${argument_NAME} PRIVATE ${argument_LIBRARIES} benchmark::benchmark_main)
endfunction()

# A libFuzzer program with AddressSanitizer and UndefinedBehaviorSanitizer; nothing unless TARN_FUZZ is
# on. Its name is listed in <build>/fuzzers.txt, from which scripts/test takes what to run.
function(tarn_add_fuzzer)
    tarn_parse_arguments(tarn_add_fuzzer "NAME" "SOURCES;LIBRARIES;DEFINITIONS" "NAME;SOURCES" ${ARGN})
    if(NOT TARN_FUZZ)
        return()
    endif()
    add_executable(${argument_NAME} ${argument_SOURCES})
    tarn_compile_as_ours(${argument_NAME})
    target_compile_definitions(${argument_NAME} PRIVATE ${argument_DEFINITIONS})
    target_link_libraries(${argument_NAME} PRIVATE ${argument_LIBRARIES})
    target_link_options(${argument_NAME} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY TARN_FUZZERS ${argument_NAME})
endfunction()
