# Installs a build tree into a prefix, moves the prefix (nothing installed may know where it was built),
# and lets the project in this folder find, link and run it. Run by ctest with cmake -P and
# -D build= scratch= version= generator= compiler= sanitizers= launcher=.

function(run what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${what} failed (${result}):\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${scratch})
set(prefix ${scratch}/elsewhere)
run("installing" ${CMAKE_COMMAND} --install ${build} --prefix ${scratch}/prefix)
file(RENAME ${scratch}/prefix ${prefix})

foreach(file IN ITEMS
        bin/tarn lib/libtarn.a lib/tarn/libtarn-python.so include/tarn/heap.h include/tarn/memory_resource.h
        include/tarn/object.h include/tarn/object/heap.h include/tarn/gil.h lib/libtarn-builtins.a include/tarn/builtins.h
        lib/libtarn-snapshot.a include/tarn/snapshot.h
        lib/cmake/Tarn/TarnConfig.cmake lib/cmake/Tarn/TarnConfigVersion.cmake)
    if(NOT EXISTS ${prefix}/${file})
        message(FATAL_ERROR "${file} was not installed")
    endif()
endforeach()

# The hook goes into processes that have no C++ runtime library, so it may need libc alone.
# (A sanitizer's runtime needs more; such a build isn't installed anywhere.)
if(NOT sanitizers)
    run("reading the hook's dynamic section" readelf --dynamic ${prefix}/lib/tarn/libtarn-python.so)
    string(REGEX MATCHALL "NEEDED[^[]*\\[[^]]*\\]" needed "${output}")
    foreach(library IN LISTS needed)
        if(NOT library MATCHES "\\[(libc\\.so\\.6|ld-linux.*)\\]")
            message(FATAL_ERROR "libtarn-python.so needs more than libc: ${library}")
        endif()
    endforeach()
endif()

run("configuring the outside project" ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${scratch}/project -G ${generator}
    -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
run("building the outside project" ${CMAKE_COMMAND} --build ${scratch}/project)
run("the outside project's program" ${launcher} ${scratch}/project/uses_tarn)
if(NOT output STREQUAL "Tarn ${version}: 1000 blocks, 1000 numbers and 1000 objects\n")
    message(FATAL_ERROR "the outside project's program printed: ${output}")
endif()
run("the outside project's program with built-in types" ${launcher} ${scratch}/project/uses_builtins)
if(NOT output STREQUAL "[1267650600228229401496703205376, 'text']\n")
    message(FATAL_ERROR "the outside project's program with built-in types printed: ${output}")
endif()
run("the outside project's program that writes a snapshot" ${launcher} ${scratch}/project/uses_snapshot)
if(NOT output STREQUAL "1\n")
    message(FATAL_ERROR "the outside project's program that writes a snapshot printed: ${output}")
endif()
