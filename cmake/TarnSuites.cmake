# Read by ctest as it starts: makes a test "<folder>/<suite>" of each suite of a GoogleTest program and leaves their
# names in `suites`. From `program`, `launcher` and `folder`. A program that can't list its suites is one test, which
# fails as the program does.
set(suites)
execute_process(COMMAND ${launcher} ${program} --gtest_list_tests
    OUTPUT_VARIABLE listing ERROR_QUIET RESULT_VARIABLE status TIMEOUT 30)
if(NOT status EQUAL 0)
    set(listing "*.")
endif()
string(REGEX MATCHALL "(^|\n)[^ \n]+\\.(\n|[ \t]|$)" lines "\n${listing}\n")
foreach(line IN LISTS lines)
    string(REGEX REPLACE "[ \t\n]|\\.[ \t\n]*$" "" suite "${line}")
    string(REPLACE "*" "all" name "${folder}/${suite}")
    add_test(${name} ${launcher} ${program} "--gtest_filter=${suite}.*")
    list(APPEND suites ${name})
endforeach()
