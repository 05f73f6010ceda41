# Debian packages by cpack: hone-agent (the agent as a service) and hone (the tools). Made by
# deploy/scripts/package.sh; for a board's agent from its preset.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(packaging ${CMAKE_SOURCE_DIR}/deploy)

# hone_install_program(TARGET NAME PACKAGE): as /usr/bin/NAME, without symbols
function(hone_install_program target name package)
	install(PROGRAMS $<TARGET_FILE:${target}> DESTINATION bin RENAME ${name} COMPONENT ${package})
	install(CODE "execute_process(COMMAND ${CMAKE_STRIP} --remove-section=.comment
		\"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/${name}\" COMMAND_ERROR_IS_FATAL ANY)"
		COMPONENT ${package})
endfunction()

# hone_install_pages(PACKAGE PAGE...): docs/man/PAGE, compressed, and the license
function(hone_install_pages package)
	foreach(page ${ARGN})
		string(REGEX MATCH "[0-9]$" section ${page})
		set(packed ${CMAKE_BINARY_DIR}/man/${page}.gz)
		add_custom_command(OUTPUT ${packed}
			COMMAND gzip -9nc ${CMAKE_SOURCE_DIR}/docs/man/${page} > ${packed}
			DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/${page} VERBATIM)
		list(APPEND pages ${packed})
		install(FILES ${packed} DESTINATION share/man/man${section} COMPONENT ${package})
	endforeach()
	file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/man)
	add_custom_target(${package}-pages ALL DEPENDS ${pages})
	install(FILES ${CMAKE_SOURCE_DIR}/deploy/debian/copyright DESTINATION share/doc/${package}
		COMPONENT ${package})
endfunction()

hone_install_program(rpc_server hone-rpc-server hone-agent)
hone_install_pages(hone-agent hone-rpc-server.8)
install(FILES ${packaging}/service/rpc_server.conf DESTINATION /etc/hone COMPONENT hone-agent)
install(FILES ${packaging}/service/hone-rpc-server.service DESTINATION /lib/systemd/system
	COMPONENT hone-agent)
install(FILES ${packaging}/service/hone.sysusers DESTINATION lib/sysusers.d RENAME hone.conf
	COMPONENT hone-agent)
set(CPACK_COMPONENTS_ALL hone-agent)
if(NOT HONE_AGENT_ONLY)
	hone_install_program(hone hone hone)
	hone_install_pages(hone hone.1)
	list(APPEND CPACK_COMPONENTS_ALL hone)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hone)
set(CPACK_PACKAGE_VENDOR hone)
set(CPACK_PACKAGE_CONTACT "hone developers <hone@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_STRIP_FILES OFF) # done above: these are renamed
if(HONE_BOARD)
	set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${HONE_BOARD})
	set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS OFF) # a static program
endif()

set(CPACK_DEBIAN_HONE-AGENT_PACKAGE_NAME hone-agent)
set(CPACK_DEBIAN_HONE-AGENT_DESCRIPTION
	"lets tuners run and time kernels on this machine\nhone-rpc-server runs, checks and times the kernels that hone sends it, in a\nsandbox, for those who hold a key. The service is not started by itself.")
set(CPACK_DEBIAN_HONE-AGENT_PACKAGE_CONTROL_EXTRA
	"${packaging}/debian/conffiles;${packaging}/debian/postinst;${packaging}/debian/prerm;${packaging}/debian/postrm")
set(CPACK_DEBIAN_HONE-AGENT_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_HONE_PACKAGE_NAME hone)
set(CPACK_DEBIAN_HONE_PACKAGE_DEPENDS "hone-agent (= ${PROJECT_VERSION}), lld-${HONE_LLVM}")
set(CPACK_DEBIAN_HONE_DESCRIPTION
	"compiles trained models to native libraries, tuned on the device\nhone searches kernels for each layer of an ONNX model by timing candidates on\nthe very device, and compiles the model with the best of them to one object.")
include(CPack)
