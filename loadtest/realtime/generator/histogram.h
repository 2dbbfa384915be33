/* Histogram of microseconds: 64 bins for every power of two, so a value is off by less than 2 %. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H
#include <stdint.h>

struct histogram { uint64_t count, most, bins[64 * 40]; };

static inline void add(struct histogram *h, uint64_t value)
{
    int bin = (int)value;
    if (value >= 64) {
        int power = 63 - __builtin_clzll(value);
        bin = (power - 5) * 64 + (int)(value >> (power - 6) & 63);
    }
    if (bin >= 64 * 40) bin = 64 * 40 - 1;
    h->bins[bin]++;
    h->count++;
    if (value > h->most) h->most = value;
}

static inline double quantile_ms(const struct histogram *h, double share)
{
    uint64_t seen = 0;
    for (int bin = 0; bin < 64 * 40; bin++) {
        seen += h->bins[bin];
        if (seen && (double)seen >= share * (double)h->count) {
            if (bin < 64) return bin / 1e3;
            return (double)((uint64_t)(64 + (bin & 63)) << (bin / 64 - 1)) / 1e3;
        }
    }
    return 0;
}

#endif
