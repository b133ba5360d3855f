# Runs -D program= and compares what it prints with the file -D expected=.
execute_process(COMMAND ${program} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
file(READ ${expected} wanted)
if(NOT result EQUAL 0 OR NOT output STREQUAL wanted)
    message(FATAL_ERROR "ended with ${result}\n${errors}\nexpected:\n${wanted}\nprinted:\n${output}")
endif()
