# Links bitcode files into one module and forgets which processor they were compiled for.
# cmake -DLINK=llvm-link -DAS=llvm-as -DOUTPUT=x.bc -DINPUTS=a.bc,b.bc -P link_bitcode.cmake
string(REPLACE "," ";" inputs "${INPUTS}")
execute_process(COMMAND ${LINK} -S ${inputs} -o ${OUTPUT}.ll COMMAND_ERROR_IS_FATAL ANY)
file(READ ${OUTPUT}.ll text)
string(REGEX REPLACE "\"(target-cpu|target-features|tune-cpu)\"=\"[^\"]*\"" "" text "${text}")
file(WRITE ${OUTPUT}.ll "${text}")
execute_process(COMMAND ${AS} ${OUTPUT}.ll -o ${OUTPUT} COMMAND_ERROR_IS_FATAL ANY)
