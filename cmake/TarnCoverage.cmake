# The target coverage-report: what the tests run since the last report have reached of src/ and
# include/, as a summary on the terminal and as pages below <build>/coverage/.

find_program(TARN_GCOVR gcovr REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/coverage)
add_custom_target(coverage-report
    COMMAND ${TARN_GCOVR} --root ${PROJECT_SOURCE_DIR} --object-directory ${PROJECT_BINARY_DIR}
        --filter ${PROJECT_SOURCE_DIR}/src/ --filter ${PROJECT_SOURCE_DIR}/include/
        --exclude-throw-branches --exclude-unreachable-branches --delete
        --html-details ${PROJECT_BINARY_DIR}/coverage/index.html --print-summary
    COMMAND ${CMAKE_COMMAND} -E echo "Pages: ${PROJECT_BINARY_DIR}/coverage/index.html"
    VERBATIM USES_TERMINAL)
