# Fails when the kernels' module needs a symbol from outside: as bitcode, and as an object for each
# architecture, where an operation without an instruction would have become a library call.
# cmake -DNM=llvm-nm -DLLC=llc -DBITCODE=x.bc -P check_closed.cmake
function(check_closed file)
	execute_process(COMMAND ${NM} --undefined-only ${file}
		OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
	if(symbols)
		message(FATAL_ERROR "${file} has undefined symbols:\n${symbols}")
	endif()
endfunction()

function(check_object arch features)
	execute_process(COMMAND ${LLC} -O2 -filetype=obj -relocation-model=pic
		-mtriple=${arch}-unknown-linux-gnu -mattr=${features} ${BITCODE}
		-o ${BITCODE}.${arch}.o COMMAND_ERROR_IS_FATAL ANY)
	check_closed(${BITCODE}.${arch}.o)
endfunction()

check_closed(${BITCODE})
check_object(x86_64 "")
check_object(aarch64 "")
check_object(riscv64 "+m,+a,+f,+d,+c")
