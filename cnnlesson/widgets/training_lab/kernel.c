// The course's network in training: images in, loss and gradients out, then a step of momentum.
//
// Compiled to WebAssembly by `make kernel`, without a library. Four numbers at a time, in 32 bits.
// No sum is reordered and nothing is fused, so that every browser computes the same bits.
//
// Two facts save more than half of the work, 3.1 million multiply-adds an image in place of 7.1:
// pooling hands each gradient to one pixel of four, so that a convolution's backward pass needs a
// quarter of the places; and pooling never reads the eleventh row and column of the second
// convolution, so that nobody needs to compute them.
#define EXPORT __attribute__((visibility("default")))
#define UNROLLED _Pragma("clang loop unroll(full)") // what it sums stays in registers

// Channels come last in memory: the four numbers of a vector belong to one pixel.
enum { BATCH = 256, SIDE = 28, TAPS = 9, CLASSES = 10 };
enum { CHANNELS1 = 32, CONV1 = 26, POOL1 = 13 };
enum { CHANNELS2 = 64, CONV2 = 10, POOL2 = 5 };
enum { ROW = 3 * CHANNELS1, FAN = 3 * ROW, FEATURES = POOL2 * POOL2 * CHANNELS2 };
enum { LANES = 4, TILE = 4 }; // vectors of output channels that are computed together

typedef float vec __attribute__((vector_size(16)));
typedef int ivec __attribute__((vector_size(16)));

// What the outside writes and reads: parameters, velocities and gradients in PyTorch's order.
struct parameters {
  float kernels1[CHANNELS1][TAPS], biases1[CHANNELS1];
  float kernels2[CHANNELS2][CHANNELS1][TAPS], biases2[CHANNELS2];
  float weights[CLASSES][CHANNELS2][POOL2 * POOL2], biases[CLASSES];
};
enum { COUNT = sizeof(struct parameters) / sizeof(float) };
static union { struct parameters at; float all[COUNT]; } w, v, g;
static float images[BATCH][SIDE][SIDE], logits[BATCH][CLASSES];
static int labels[BATCH];
static unsigned char awake[CHANNELS1 + CHANNELS2]; // channels that let something through
static _Alignas(16) float conv1[CONV1][CONV1][CHANNELS1], pool1[POOL1][POOL1][CHANNELS1];
static _Alignas(16) float conv2[CONV2][CONV2][CHANNELS2], pool2[POOL2][POOL2][CHANNELS2];

EXPORT float *get_parameters(void) { return w.all; }
EXPORT float *get_velocities(void) { return v.all; }
EXPORT float *get_gradients(void) { return g.all; }
EXPORT float *get_images(void) { return images[0][0]; }
EXPORT int *get_labels(void) { return labels; }
EXPORT float *get_logits(void) { return logits[0]; }
EXPORT float *get_pool1(void) { return pool1[0][0]; } // the maps of the last image
EXPORT float *get_pool2(void) { return pool2[0][0]; }
EXPORT unsigned char *get_awake(void) { return awake; }

// The parameters as the loops below read them: channels last, and both ways for the second layer.
static _Alignas(16) float kernels1[TAPS][CHANNELS1], biases1[CHANNELS1], biases2[CHANNELS2];
static _Alignas(16) float kernels2[FAN][CHANNELS2], turned2[CHANNELS2][FAN];
static _Alignas(16) float weights[CLASSES][FEATURES];
// Their gradients, summed over a batch.
static _Alignas(16) float g_kernels1[CHANNELS1][TAPS], g_turned2[CHANNELS2][FAN];
static _Alignas(16) float g_weights[CLASSES][FEATURES];
// Gradients of one image's pooled maps, and which pixel of four each came from.
static _Alignas(16) float g_pool1[POOL1][POOL1][CHANNELS1], g_pool2[POOL2][POOL2][CHANNELS2];
static _Alignas(16) int from1[POOL1][POOL1][CHANNELS1], from2[POOL2][POOL2][CHANNELS2];

static vec load(const float *from) { return *(const vec *)from; }
static void store(float *to, vec value) { *(vec *)to = value; }
static void add(float *to, vec value) { store(to, load(to) + value); }
static vec larger(vec a, vec b) { return __builtin_wasm_max_f32x4(a, b); } // NaN if one is NaN

static void arrange(void) {
  for (int c = 0; c < CHANNELS1; c++) {
    biases1[c] = w.at.biases1[c];
    for (int tap = 0; tap < TAPS; tap++) kernels1[tap][c] = w.at.kernels1[c][tap];
  }
  for (int c = 0; c < CHANNELS2; c++) {
    biases2[c] = w.at.biases2[c];
    for (int tap = 0; tap < TAPS; tap++)
      for (int in = 0; in < CHANNELS1; in++) {
        const float weight = w.at.kernels2[c][in][tap];
        kernels2[CHANNELS1 * tap + in][c] = turned2[c][CHANNELS1 * tap + in] = weight;
      }
    for (int label = 0; label < CLASSES; label++)
      for (int place = 0; place < POOL2 * POOL2; place++)
        weights[label][CHANNELS2 * place + c] = w.at.weights[label][c][place];
  }
}

static void convolve1(const float image[SIDE][SIDE]) {
  for (int y = 0; y < CONV1; y++)
    for (int x = 0; x < CONV1; x++) {
      vec sum[CHANNELS1 / LANES];
      UNROLLED for (int c = 0; c < CHANNELS1 / LANES; c++) sum[c] = load(biases1 + LANES * c);
      for (int tap = 0; tap < TAPS; tap++)
        UNROLLED for (int c = 0; c < CHANNELS1 / LANES; c++)
          sum[c] += image[y + tap / 3][x + tap % 3] * load(kernels1[tap] + LANES * c);
      UNROLLED for (int c = 0; c < CHANNELS1 / LANES; c++) store(conv1[y][x] + LANES * c, sum[c]);
    }
}

// Two neighbours and 16 channels at a time: as many sums as a processor has registers for.
static void convolve2(void) {
  for (int y = 0; y < CONV2; y++)
    for (int x = 0; x < CONV2; x += 2)
      for (int first = 0; first < CHANNELS2; first += LANES * TILE) {
        vec left[TILE], right[TILE];
        UNROLLED for (int c = 0; c < TILE; c++) left[c] = right[c] = load(biases2 + first + LANES * c);
        for (int dy = 0; dy < 3; dy++) {
          const float *in = pool1[y + dy][x];
          for (int k = 0; k < ROW; k++)
            UNROLLED for (int c = 0; c < TILE; c++) {
              const vec weight = load(kernels2[ROW * dy + k] + first + LANES * c);
              left[c] += in[k] * weight;
              right[c] += in[k + CHANNELS1] * weight;
            }
        }
        UNROLLED for (int c = 0; c < TILE; c++) {
          store(conv2[y][x] + first + LANES * c, left[c]);
          store(conv2[y][x + 1] + first + LANES * c, right[c]);
        }
      }
}

// The largest of four pixels, the first of equals, then ReLU: the same as ReLU first, with a
// quarter of its work. Below zero a leaky ReLU has a slope.
static void pool(const float *map, int channels, int side, float slope, float *out, int *from,
                 unsigned char *is_awake) {
  for (int y = 0; y + 1 < side; y += 2)
    for (int x = 0; x + 1 < side; x += 2)
      for (int c = 0; c < channels; c += LANES, out += LANES, from += LANES) {
        const float *at = map + (y * side + x) * channels + c;
        const vec p0 = load(at), p1 = load(at + channels);
        const vec p2 = load(at + side * channels), p3 = load(at + (side + 1) * channels);
        const vec most = larger(larger(p0, p1), larger(p2, p3));
        const ivec not0 = p0 != most, not1 = p1 != most, not2 = p2 != most;
        *(ivec *)from = not0 & (1 + (not1 & (1 + (not2 & 1))));
        const vec relu = larger(most, slope ? slope * most : (vec){0});
        store(out, relu);
        UNROLLED for (int lane = 0; lane < LANES; lane++) is_awake[c + lane] |= relu[lane] != 0;
      }
}

static void forward(int i, float slope) {
  convolve1(images[i]);
  pool(conv1[0][0], CHANNELS1, CONV1, slope, pool1[0][0], from1[0][0], awake);
  convolve2();
  pool(conv2[0][0], CHANNELS2, CONV2, slope, pool2[0][0], from2[0][0], awake + CHANNELS1);
  const float *features = pool2[0][0];
  vec sums[CLASSES] = {0};
  for (int k = 0; k < FEATURES; k += LANES)
    UNROLLED for (int label = 0; label < CLASSES; label++)
      sums[label] += load(features + k) * load(weights[label] + k);
  UNROLLED for (int label = 0; label < CLASSES; label++) {
    const vec s = sums[label];
    logits[i][label] = w.at.biases[label] + ((s[0] + s[1]) + (s[2] + s[3]));
  }
}

// e to a power of at most 0: a power of 2 times a series for what is left.
static double exponential(double x) {
  if (!(x > -700)) return x == x ? 0 : x;
  const int power = (int)(x * 1.4426950408889634 - 0.5);
  const double rest = x - power * 0.6931471805599453;
  double sum = 1;
  for (int k = 13; k > 0; k--) sum = 1 + sum * rest / k;
  union { long long bits; double value; } scale = {(long long)(1023 + power) << 52};
  return sum * scale.value;
}

// The number whose e to the power is x, from 1 to 10: by Halley's method.
static double logarithm(double x) {
  double root = 1;
  for (int k = 0; k < 4; k++) {
    const double scaled = x * exponential(-root);
    root += 2 * (scaled - 1) / (scaled + 1);
  }
  return root;
}

// Cross-entropy of an image, and the ten probabilities.
static double cross_entropy(int i, double p[CLASSES]) {
  double most = logits[i][0], total = 0;
  for (int label = 1; label < CLASSES; label++)
    if (logits[i][label] > most) most = logits[i][label];
  for (int label = 0; label < CLASSES; label++)
    total += p[label] = exponential(logits[i][label] - most);
  for (int label = 0; label < CLASSES; label++) p[label] /= total;
  return logarithm(total) - (logits[i][labels[i]] - most);
}

static void backward2(float slope) {
  for (int y = 0; y < POOL2; y++)
    for (int x = 0; x < POOL2; x++)
      for (int c = 0; c < CHANNELS2; c++) {
        float gradient = g_pool2[y][x][c];
        if (pool2[y][x][c] <= 0) {
          if (!slope) continue;
          gradient *= slope;
        }
        g.at.biases2[c] += gradient;
        const int from = from2[y][x][c];
        for (int dy = 0; dy < 3; dy++) {
          const int row = 2 * y + from / 2 + dy, column = 2 * x + from % 2;
          const float *in = pool1[row][column], *kernel = turned2[c] + ROW * dy;
          float *g_in = g_pool1[row][column], *g_kernel = g_turned2[c] + ROW * dy;
          for (int k = 0; k < ROW; k += LANES) {
            add(g_kernel + k, gradient * load(in + k));
            add(g_in + k, gradient * load(kernel + k));
          }
        }
      }
}

static void backward1(const float image[SIDE][SIDE], float slope) {
  for (int y = 0; y < POOL1; y++)
    for (int x = 0; x < POOL1; x++)
      for (int c = 0; c < CHANNELS1; c++) {
        float gradient = g_pool1[y][x][c];
        if (pool1[y][x][c] <= 0) {
          if (!slope) continue;
          gradient *= slope;
        }
        g.at.biases1[c] += gradient;
        const int from = from1[y][x][c];
        const float(*window)[SIDE] = (void *)&image[2 * y + from / 2][2 * x + from % 2];
        UNROLLED for (int tap = 0; tap < TAPS; tap++)
          g_kernels1[c][tap] += gradient * window[tap / 3][tap % 3];
      }
}

static void backward(int i, int n, const double p[CLASSES], float slope) {
  __builtin_memset(g_pool1, 0, sizeof g_pool1);
  __builtin_memset(g_pool2, 0, sizeof g_pool2);
  float *g_features = g_pool2[0][0];
  for (int label = 0; label < CLASSES; label++) {
    const float gradient = (p[label] - (label == labels[i])) / n;
    g.at.biases[label] += gradient;
    for (int k = 0; k < FEATURES; k += LANES) {
      add(g_weights[label] + k, gradient * load(pool2[0][0] + k));
      add(g_features + k, gradient * load(weights[label] + k));
    }
  }
  backward2(slope);
  backward1(images[i], slope);
}

// The gradients of the weights, from the loops' order to PyTorch's.
static void hand_over(void) {
  __builtin_memcpy(g.at.kernels1, g_kernels1, sizeof g_kernels1);
  for (int c = 0; c < CHANNELS2; c++) {
    for (int tap = 0; tap < TAPS; tap++)
      for (int in = 0; in < CHANNELS1; in++)
        g.at.kernels2[c][in][tap] = g_turned2[c][CHANNELS1 * tap + in];
    for (int label = 0; label < CLASSES; label++)
      for (int place = 0; place < POOL2 * POOL2; place++)
        g.at.weights[label][c][place] = g_weights[label][CHANNELS2 * place + c];
  }
}

// Mean loss of the first n images, 1 to 256, and its gradients. A plain ReLU has the slope 0.
EXPORT double compute_gradients(int n, float slope) {
  arrange();
  __builtin_memset(g.all, 0, sizeof g.all);
  __builtin_memset(g_kernels1, 0, sizeof g_kernels1);
  __builtin_memset(g_turned2, 0, sizeof g_turned2);
  __builtin_memset(g_weights, 0, sizeof g_weights);
  double loss = 0, p[CLASSES];
  for (int i = 0; i < n; i++) {
    forward(i, slope);
    loss += cross_entropy(i, p);
    backward(i, n, p, slope);
  }
  hand_over();
  return loss / n;
}

// One step with the gradients that are there.
enum rule { CLASSICAL, PYTORCH, NESTEROV };
EXPORT void take_step(float lr, float momentum, enum rule rule) {
  for (int k = 0; k < COUNT; k++) {
    const float gradient = g.all[k];
    if (rule == CLASSICAL) { // as the original writes it: the step size is in the velocity
      v.all[k] = momentum * v.all[k] - lr * gradient;
      w.all[k] = w.all[k] + v.all[k];
    } else {
      v.all[k] = momentum * v.all[k] + gradient;
      w.all[k] -= lr * (rule == NESTEROV ? gradient + momentum * v.all[k] : v.all[k]);
    }
  }
}

// Mean loss of the first n images; their logits and the channels they wake are left to be read.
EXPORT double measure(int n, float slope) {
  arrange();
  double loss = 0, p[CLASSES];
  for (int i = 0; i < n; i++) {
    forward(i, slope);
    loss += cross_entropy(i, p);
  }
  return loss / n;
}

EXPORT int all_finite(void) {
  for (int k = 0; k < COUNT; k++)
    if (!(__builtin_fabsf(w.all[k]) <= 3.4028235e38f)) return 0;
  return 1;
}
