# Runs a program of a guide and compares what it prints. -D program= expected=
execute_process(COMMAND ${program} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
file(READ ${expected} wanted)
if(NOT result EQUAL 0 OR NOT output STREQUAL wanted)
    message(FATAL_ERROR "${program} ended with ${result} and printed:\n${output}${errors}\nThe guide says:\n${wanted}")
endif()
