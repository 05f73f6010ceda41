/* Classifies the test images; after `hone compile digits.onnx -o out`:
 *   cc -O2 -Iout main.c out/digits.o -o digits
 *   ./digits out/digits.weights.bin test_images.npy test_labels.npy */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "digits.h"

enum { IMAGES = 360, CLASSES = 10 };
static _Alignas(64) unsigned char weights[DIGITS_WEIGHTS_BYTES], io[DIGITS_MUTABLE_BYTES];
static _Alignas(64) unsigned char activations[DIGITS_ACTIVATIONS_BYTES], label[IMAGES];
static float image[IMAGES][8 * 8];

static int
load(void *data, size_t size, const char *path) /* a file's last bytes: an array without header */
{
	FILE *f = fopen(path, "rb");
	return f && !fseek(f, -(long)size, SEEK_END) && fread(data, 1, size, f) == size;
}

int
main(int argc, char **argv)
{
	const float *score = (const float *)(io + DIGITS_OUTPUT_0_OFFSET);
	int right = 0;
	if (argc != 4 || !load(weights, sizeof weights, argv[1]) || digits_check(weights) ||
	    !load(image, sizeof image, argv[2]) || !load(label, sizeof label, argv[3]))
		return fputs("usage: digits WEIGHTS IMAGES.npy LABELS.npy\n", stderr), 2;
	clock_t start = clock(); /* microseconds in POSIX */
	for (int i = 0, best = 0; i < IMAGES; i++, best = 0) {
		memcpy(io + DIGITS_INPUT_0_OFFSET, image[i], sizeof image[i]);
		if (digits(weights, io, activations))
			return 1;
		for (int k = 1; k < CLASSES; k++)
			best = score[k] > score[best] ? k : best;
		right += best == label[i];
	}
	printf("%d of %d right, %.2f us each\n", right, IMAGES, (double)(clock() - start) / IMAGES);
}
