# What an outside project's find_package(Tarn) reads: the exported target, its version, the headers.

include(CMakePackageConfigHelpers)
set(tarn_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Tarn)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tarn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT TarnTargets NAMESPACE Tarn:: DESTINATION ${tarn_package_folder})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/TarnConfig.cmake.in
    ${PROJECT_BINARY_DIR}/cmake/TarnConfig.cmake INSTALL_DESTINATION ${tarn_package_folder})
# Before 1.0 each minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/TarnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/TarnConfig.cmake ${PROJECT_BINARY_DIR}/cmake/TarnConfigVersion.cmake
    DESTINATION ${tarn_package_folder})
