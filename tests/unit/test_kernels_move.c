/* Movement, padding and resizing against independent values. */
#include "kernel_case.h"

static void
movement(void **state)
{
	static const char *const cases[] = {
		"Reshape : i16[2,3] 1 2 3 4 5 6 -> i16[3,2] 1 2 3 4 5 6",
		"Reshape : bool[1] 1 -> bool[] 1",
		"Transpose perm=1,0 : f32[2,3] 1 2 3 4 5 6 -> f32[3,2] 1 4 2 5 3 6",
		"Transpose perm=2,0,1 : u8[2,1,2] 1 2 3 4 -> u8[2,2,1] 1 3 2 4",
		"Transpose perm= : f32[] 7 -> f32[] 7",
		"Expand : f32[2,1] 1 2 -> f32[2,3] 1 1 1 2 2 2",
		"Expand : i64[2] 1 2 -> i64[2,2] 1 2 1 2",
		"Expand : f16[1] 1 -> f16[0,3]",
		"Tile : f32[1,2] 1 2 -> f32[2,4] 1 2 1 2 1 2 1 2",
		"Tile : u8[2,2] 1 2 3 4 -> u8[2,6] 1 2 1 2 1 2 3 4 3 4 3 4",
		"Tile : f64[2] 1 2 -> f64[0]",
		"Concat axis=1 : f32[2,1] 1 2 | f32[2,2] 3 4 5 6 | f32[2,0] "
		"-> f32[2,3] 1 3 4 2 5 6",
		"Concat axis=0 : bool[1] 1 | bool[2] 0 1 -> bool[3] 1 0 1",
		"Slice starts=1,0 steps=1,2 : f32[3,3] 1 2 3 4 5 6 7 8 9 -> f32[2,2] 4 6 7 9",
		"Slice starts=3 steps=-2 : i64[4] 1 2 3 9007199254740993 "
		"-> i64[2] 9007199254740993 2",
		"Slice starts=0,2 steps=1,-1 : u16[1,3] 1 2 3 -> u16[1,3] 3 2 1",
		"Slice starts=0 steps=1 : f32[2] 1 2 -> f32[0]",
		"Gather axis=0 : f32[3,2] 1 2 3 4 5 6 | i64[2] 2 -3 -> f32[2,2] 5 6 1 2",
		"Gather axis=1 : i8[2,2] 1 2 3 4 | i32[2,1] 1 0 -> i8[2,2,1] 2 1 4 3",
		"Gather axis=0 : f32[2] 1 2 | i64[] 1 -> f32[] 2",
		"Gather axis=0 : f32[2] 1 2 | i64[4] 2 -3 9223372036854775807 -1 "
		"-> f32[4] 0 0 0 2",
		"Gather axis=0 : f32[0,2] | i32[1] 0 -> f32[1,2] 0 0",
		"DepthToSpace blocksize=2 crd=0 : f32[1,4,1,2] 1 2 3 4 5 6 7 8 "
		"-> f32[1,1,2,4] 1 3 2 4 5 7 6 8",
		"DepthToSpace blocksize=2 crd=0 : u8[1,8,1,1] 1 2 3 4 5 6 7 8 "
		"-> u8[1,2,2,2] 1 3 5 7 2 4 6 8",
		"DepthToSpace blocksize=2 crd=1 : u8[1,8,1,1] 1 2 3 4 5 6 7 8 "
		"-> u8[1,2,2,2] 1 2 3 4 5 6 7 8",
		"SpaceToDepth blocksize=2 : f32[1,1,2,4] 1 3 2 4 5 7 6 8 "
		"-> f32[1,4,1,2] 1 2 3 4 5 6 7 8",
		"SpaceToDepth blocksize=2 : i32[1,2,2,2] 1 3 5 7 2 4 6 8 "
		"-> i32[1,8,1,1] 1 2 3 4 5 6 7 8",
		"Trilu upper=1 k=0 : f32[2,2] 1 2 3 4 -> f32[2,2] 1 2 0 4",
		"Trilu upper=0 k=0 : f32[2,2] 1 2 3 4 -> f32[2,2] 1 0 3 4",
		"Trilu upper=1 k=1 : i64[2,2,3] 1 2 3 4 5 6 7 8 9 10 11 12 "
		"-> i64[2,2,3] 0 2 3 0 0 6 0 8 9 0 0 12",
		"Trilu upper=0 k=-1 : u8[3,2] 1 2 3 4 5 6 -> u8[3,2] 0 0 3 0 5 6",
		"Trilu upper=1 k=-9000000000000000000 : f32[1,2] 1 2 -> f32[1,2] 1 2",
		"Trilu upper=0 k=9000000000000000000 : f32[1,2] 1 2 -> f32[1,2] 1 2",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
pads(void **state)
{
	static const char *const cases[] = {
		"Pad pads=1,2 pad_mode=0 value=9 : f32[2] 1 2 -> f32[5] 9 1 2 9 9",
		"Pad pads=0,1,1,0 pad_mode=0 value=0 : u8[1,2] 1 2 -> u8[2,3] 0 1 2 0 0 0",
		"Pad pads=-1,1 pad_mode=0 value=5 : i64[3] 1 2 3 -> i64[3] 2 3 5",
		"Pad pads=1,-3 pad_mode=0 value=5 : f32[2] 1 2 -> f32[0]",
		"Pad pads=2,2 pad_mode=1 : f32[3] 1 2 3 -> f32[7] 3 2 1 2 3 2 1",
		/* further than the tensor is long: there and back again */
		"Pad pads=5,4 pad_mode=1 : f32[3] 1 2 3 -> f32[12] 2 1 2 3 2 1 2 3 2 1 2 3",
		"Pad pads=2,1 pad_mode=1 : f32[1] 7 -> f32[4] 7 7 7 7",
		"Pad pads=2,1 pad_mode=2 : f32[2] 1 2 -> f32[5] 1 1 1 2 2",
		"Pad pads=1,0,0,1 pad_mode=2 : bf16[1,2] 1 2 -> bf16[2,3] 1 2 2 1 2 2",
		"Pad pads=3,3 pad_mode=3 : f32[2] 1 2 -> f32[8] 2 1 2 1 2 1 2 1",
		/* cropped first, then wrapped */
		"Pad pads=-1,2 pad_mode=3 : f32[4] 0 1 2 3 -> f32[5] 1 2 3 1 2",
		"Pad pads=-1,2 pad_mode=1 : f32[4] 0 1 2 3 -> f32[5] 1 2 3 2 1",
		"Pad pads=1,1 pad_mode=0 value=1 : bool[1] 0 -> bool[3] 1 0 1",
		"Pad pads=1,1 pad_mode=0 value=3 : f32[0] -> f32[2] 3 3",
		"Pad pads= pad_mode=0 value=3 : f32[] 1 -> f32[] 1",
	};

	(void)state;
	CHECK_CASES(cases);
}

static void
resizes(void **state)
{
	static const char *const cases[] = {
		"Resize resize_mode=0 transform=3 scales=2.5 nearest=0 : f32[4] 1 2 3 4 "
		"-> f32[10] 1 1 2 2 3 3 3 4 4 4",
		"Resize resize_mode=0 transform=3 scales=2.5 nearest=1 : f32[4] 1 2 3 4 "
		"-> f32[10] 1 1 2 2 3 3 3 4 4 4",
		"Resize resize_mode=0 transform=3 scales=2.5 nearest=2 : f32[4] 1 2 3 4 "
		"-> f32[10] 1 1 1 2 2 3 3 3 4 4",
		"Resize resize_mode=0 transform=3 scales=2.5 nearest=3 : f32[4] 1 2 3 4 "
		"-> f32[10] 1 2 2 3 3 3 4 4 4 4",
		"Resize resize_mode=0 transform=0 scales=0.5 nearest=0 : i64[7] 1 2 3 4 5 6 7 "
		"-> i64[3] 1 3 5",
		"Resize resize_mode=0 transform=0 scales=0.5 nearest=1 : i64[7] 1 2 3 4 5 6 7 "
		"-> i64[3] 2 4 6",
		"Resize resize_mode=1 transform=0 scales=2,1 : f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[6,3] 1 2 3 1.75 3 4.5 3.25 5 7.5 4.25 4.75 6.75 4.75 2.25 2.25 5 1 0",
		"Resize resize_mode=1 transform=2 scales=1,2 : f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[3,6] 1 1.4 1.8 2.2 2.5999999 3 4 4.8000002 5.5999999 6.5999999 7.8000002 "
		"9 5 3.4000001 1.8 0.80000001 0.40000001 0",
		"Resize resize_mode=1 transform=3 scales=0.66666666666666663,1.6666666666666667 : "
		"f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[2,5] 1 1.6 2.2 2.8 3 4.5 3.9000001 3.7 4.3000002 4.5",
		"Resize resize_mode=1 transform=1 scales=0.33333333333333331,0.66666666666666663 "
		": f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[1,2] 1.25 2.75",
		"Resize resize_mode=1 transform=5 scales=1,0.60000002384185791 : f32[1,4] 1 2 4 8 "
		"-> f32[1,2] 1.6666667 5.333333",
		"Resize resize_mode=1 transform=4 scales=0.66666666666666663,1 roi=0.25,-0.25,1,1 "
		"extrapolation=9.5 : f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[2,3] 9.5 3.625 6 9.5 2 0",
		"Resize resize_mode=0 transform=4 scales=0.66666666666666663,1 nearest=0 "
		"roi=0.25,-0.25,1,1 extrapolation=9.5 : f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[2,3] 9.5 2 3 9.5 1 0",
		"Resize resize_mode=2 transform=0 scales=1,1.5 cubic_a=-0.75 : f32[1,4] 1 2 4 8 "
		"-> f32[1,6] 0.91319442 1.3125 2.3043981 3.3831019 6.1875 8.3472223",
		"Resize resize_mode=2 transform=0 scales=1,1.5 cubic_a=-0.5 exclude_outside=1 : "
		"f32[1,4] 1 2 4 8 "
		"-> f32[1,6] 0.93421054 1.3529412 2.2523148 3.5393519 6.2352943 8.2631578",
		"Resize resize_mode=2 transform=2 scales=1,0.75 cubic_a=-0.75 : f32[1,4] 1 2 4 8 "
		"-> f32[1,3] 1 2.71875 8",
		"Resize resize_mode=1 transform=0 scales=1,0.5 antialias=1 : f32[1,4] 1 2 4 8 "
		"-> f32[1,2] 1.75 5.75",
		"Resize resize_mode=2 transform=0 scales=1,0.75 cubic_a=-0.75 exclude_outside=1 "
		"antialias=1 : f32[1,4] 1 2 4 8 "
		"-> f32[1,3] 1.0753138 2.8411384 7.1852417",
		"Resize resize_mode=2 transform=3 scales=0.66666666666666663,0.66666666666666663 "
		"cubic_a=-0.75 antialias=1 : f32[3,3] 1 2 3 4 6 9 5 1 0 "
		"-> f32[2,2] 1.5942891 3.9262195 4.3695121 4.1514063",
		"Resize resize_mode=2 transform=0 scales=1.5,1.5 cubic_a=-0.75 : u8[2,2] 0 255 "
		"100 7 "
		"-> u8[3,3] 0 134 255 43 90 138 119 47 0",
		"Resize resize_mode=1 transform=0 scales=1.6666666666666667 : i8[3] -7 4 100 "
		"-> i8[5] -7 -3 4 62 100",
		"Resize resize_mode=0 transform=6 nearest=2 scales=2 : bool[2] 1 0 "
		"-> bool[4] 1 1 0 0",
		/* one output: pytorch_half_pixel reads the first input */
		"Resize resize_mode=2 transform=1 scales=0.25 cubic_a=-0.75 : f32[4] 1 2 4 8 "
		"-> f32[1] 1",
		"Resize resize_mode=1 transform=2 scales=0.5 : f32[2] 1 2 -> f32[1] 1",
		"Resize resize_mode=1 transform=4 scales=0.5 roi=0,1 extrapolation=0 : f32[2] 1 2 "
		"-> f32[1] 1.5",
		/* an axis that keeps its size reads no neighbour: nothing times infinity */
		"Resize resize_mode=1 transform=0 scales=1,2 : f32[2,1] inf 1 "
		"-> f32[2,2] inf inf 1 1",
		"Resize resize_mode=0 transform=0 nearest=0 scales=1 : f32[0] -> f32[0]",
	};

	(void)state;
	CHECK_CASES(cases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(movement),
		cmocka_unit_test(pads),
		cmocka_unit_test(resizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
