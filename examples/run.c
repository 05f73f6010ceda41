/* Runs a compiled model of one input and one output; the .npy file's header is skipped, and the
 * output is written without one. For mobilenet_v2, after `hone compile mobilenet_v2.onnx -o out`:
 *   cc -O2 -Iout -include mobilenet_v2.h -DMODEL=mobilenet_v2 -DSIZES=MOBILENET_V2 run.c \
 *      out/mobilenet_v2.o -o run
 *   ./run out/mobilenet_v2.weights.bin image.npy output.bin */
#include <stdio.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define SIZE(what)  JOIN(SIZES, what)
static _Alignas(64) unsigned char weights[SIZE(_WEIGHTS_BYTES)], io[SIZE(_MUTABLE_BYTES)];
static _Alignas(64) unsigned char activations[SIZE(_ACTIVATIONS_BYTES)];

static int
load(void *data, size_t size, const char *path) /* a file's last bytes */
{
	FILE *f = fopen(path, "rb");
	return f && !fseek(f, -(long)size, SEEK_END) && fread(data, 1, size, f) == size;
}

int
main(int argc, char **argv)
{
	if (argc != 4 || !load(weights, sizeof weights, argv[1]) || JOIN(MODEL, _check)(weights) ||
	    !load(io + SIZE(_INPUT_0_OFFSET), SIZE(_INPUT_0_BYTES), argv[2]))
		return fputs("usage: run WEIGHTS INPUT OUTPUT\n", stderr), 2;
	if (MODEL(weights, io, activations))
		return 1;
	FILE *f = fopen(argv[3], "wb");
	size_t size = SIZE(_OUTPUT_0_BYTES);
	return !f || fwrite(io + SIZE(_OUTPUT_0_OFFSET), 1, size, f) != size || fclose(f);
}
