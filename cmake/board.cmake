# Toolchain of an agent for another machine: Debian's cross compiler, and libraries that
# deploy/scripts/sysroot.sh has unpacked. HONE_BOARD says which; the program is static.
set(HONE_BOARD arm64 CACHE STRING "Architecture of the board, as Debian calls it: arm64 or armhf")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HONE_BOARD)

set(arm64_machine aarch64 aarch64-linux-gnu)
set(armhf_machine armv7l arm-linux-gnueabihf)
list(GET ${HONE_BOARD}_machine 0 machine)
list(GET ${HONE_BOARD}_machine 1 triplet)

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${machine})
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_ASM_COMPILER ${triplet}-gcc)

get_filename_component(sysroot ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot-${HONE_BOARD} ABSOLUTE)
set(CMAKE_C_FLAGS_INIT "-isystem ${sysroot}/usr/include -isystem ${sysroot}/usr/include/${triplet}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -L${sysroot}/usr/lib/${triplet} -Wl,--gc-sections")

set(CMAKE_FIND_ROOT_PATH ${sysroot})
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
