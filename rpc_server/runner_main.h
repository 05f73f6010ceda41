/* The runner as a process: what rpc_server is when it is called as RUNNER_NAME. */
#ifndef RPC_SERVER_RUNNER_MAIN_H
#define RPC_SERVER_RUNNER_MAIN_H

/* Obeys the agent at the other end of RUNNER_FD until that hangs up; never returns in the process
 * that runs kernels. Returns an exit status. */
int runner_main(void);

#endif
