/* The plan search of engine/kernels/plan_search.py and plan_model.py, word for word in C.
 *
 * Four lanes side by side are a vector of GCC and Clang; without it both leave the inner loop scalar.
 * Arrays come from NumPy, in the order of the Python tuples.
 */
#include <math.h>
#include <stdint.h>

enum { BLOCK = 4, HOLD = -1 };
static const double UNSET = 1.0e300, TIE = 1.0e-9, LEAST_SPARE = 0.1;
typedef double four __attribute__((vector_size(32), aligned(8), may_alias));
typedef int64_t four_i __attribute__((vector_size(32)));

typedef struct {
    const double *queue_veh, *arriving_veh, *flow_veh_s, *opposed_veh_s;
    const int64_t *foes;
    const double *cap_veh, *weight, *lost_s;
    const int64_t *min_green_s, *allowed;
    const double *drain_s;
} Model;

typedef struct {
    int64_t *row, *served, *lane;
    double *flow_veh_s, *less_veh_s, *clear_s, *spare_veh_s;
    int64_t *pair, *yielding, *foe;
    double *cap_veh, *weight, *drain, *red, *going_on, *arriving_veh, *came_veh, *came_then_veh,
         *waited, *drained, *at_s, *next_s, *last_s, *stopped;
    int64_t *moment;
} Layout;

typedef struct {
    double *rank, *cost;
    int64_t *first, *stage, *begin;
    double *served_veh, *saved, *queue_veh, *best, *red, *spent, *slope, *value, *tried_veh,
        *tried_saved;
} Labels;

typedef struct {
    int64_t stages, lanes, moments; /* of the arrays; moments filled up to BLOCK */
} Room;

static inline four load(const double *at) { return *(const four *)at; }
static inline void store(double *at, four value) { *(four *)at = value; }
static inline four least(four a, four b) {
    four_i less = a < b;
    return (four)(((four_i)a & less) | ((four_i)b & ~less));
}
static inline double total(four v) { return (v[0] + v[2]) + (v[1] + v[3]); }

static int64_t give_way(const Model *m, int64_t q, int64_t first, int64_t last, int64_t pairs,
                        const Layout *o, int64_t L) {
    for (int64_t here = first; here < last; here++) {
        int64_t lane = o->lane[here], mask = m->foes[q * L + lane];
        if (!mask) continue;
        double free = 1.0, flow = m->flow_veh_s[q * L + lane], opposed = m->opposed_veh_s[q * L + lane];
        for (int64_t there = first; there < last; there++) {
            int64_t foe = o->lane[there];
            if (!(mask >> foe & 1)) continue;
            o->yielding[pairs] = here;
            o->foe[pairs++] = there;
            free *= o->spare_veh_s[there] / m->flow_veh_s[q * L + foe];
        }
        double gain = (flow > opposed ? flow - opposed : 0.0) * free;
        o->flow_veh_s[here] = (opposed < flow ? opposed : flow) + gain;
        o->less_veh_s[here] = gain;
    }
    return pairs;
}

static void lay_out(const Model *m, const int64_t *grid_s, int64_t moments, int64_t stages,
                    int64_t lanes, double red_s, double stop_s, const Layout *o, const Room *room) {
    const int64_t L = room->lanes, G = room->moments, E = room->stages * L;
    int64_t second = 0;
    for (int64_t k = 0; k < moments; k++) {
        o->at_s[k] = (double)grid_s[k];
        o->waited[k] = o->drained[k] = 0.0;
        while (second <= grid_s[k]) o->moment[second++] = k;
    }
    for (int64_t k = 1; k < moments; k++) {
        double step_s = o->at_s[k] - o->at_s[k - 1];
        o->last_s[k] = 0.5 * (step_s - 1.0);
        o->next_s[k] = step_s - o->last_s[k];
    }
    for (int64_t lane = 0; lane < lanes; lane++) {
        double weight = m->weight[lane], drain = weight * m->drain_s[lane] / 2;
        double came = 0.0, before = 0.0, waited = 0.0;
        for (int64_t k = 1; k < moments; k++) {
            came += m->arriving_veh[(k - 1) * L + lane];
            waited += weight * (o->next_s[k] * came + o->last_s[k] * before);
            before = came;
            o->came_veh[lane * G + k] = o->came_then_veh[k * L + lane] = came;
            o->waited[k] += waited;
            o->drained[k] += came * (drain * came + weight * red_s);
        }
    }
    int64_t place = 0, pairs = 0;
    double span_s = o->at_s[moments - 1] > 1.0 ? o->at_s[moments - 1] : 1.0;
    for (int64_t q = 0; q < stages; q++) {
        o->row[q] = place;
        for (int64_t lane = 0; lane < lanes; lane++) {
            double flow = m->flow_veh_s[q * L + lane], weight = m->weight[lane];
            if (flow <= 0.0) continue;
            o->lane[place] = lane;
            o->flow_veh_s[place] = flow;
            o->less_veh_s[place] = o->clear_s[place] = 0.0;
            double spare = flow - o->came_veh[lane * G + moments - 1] / span_s;
            o->spare_veh_s[place] = spare > LEAST_SPARE * flow ? spare : LEAST_SPARE * flow;
            o->cap_veh[place] = m->cap_veh[q * L + lane];
            o->weight[place] = weight;
            o->drain[place] = weight * m->drain_s[lane] / 2;
            o->red[place] = weight * red_s;
            for (int64_t p = 0; p < stages; p++)
                o->going_on[p * E + place] = m->flow_veh_s[p * L + lane] > 0.0 ? 1.0 : 0.0;
            for (int64_t k = 0; k < moments - 1; k++)
                o->arriving_veh[k * E + place] = m->arriving_veh[k * L + lane];
            place++;
        }
        o->served[q] = place - o->row[q];
        o->pair[q] = pairs;
        pairs = give_way(m, q, o->row[q], place, pairs, o, L);
        for (; place % BLOCK; place++) {
            o->lane[place] = 0;
            o->flow_veh_s[place] = o->cap_veh[place] = 0.0;
            o->less_veh_s[place] = o->clear_s[place] = o->spare_veh_s[place] = 0.0;
            o->weight[place] = o->drain[place] = o->red[place] = 0.0;
            for (int64_t p = 0; p < stages; p++) o->going_on[p * E + place] = 0.0;
            for (int64_t k = 0; k < moments - 1; k++) o->arriving_veh[k * E + place] = 0.0;
        }
    }
    o->row[stages] = place;
    o->pair[stages] = pairs;
    for (int64_t p = 0; p < stages; p++)
        for (int64_t q = 0; q < stages; q++) {
            double stopped = 0.0;
            for (int64_t lane = 0; lane < lanes; lane++)
                if (m->flow_veh_s[p * L + lane] > 0.0 && m->flow_veh_s[q * L + lane] <= 0.0) {
                    double came = o->came_veh[lane * G + moments - 1];
                    stopped += m->weight[lane] * (came < 1.0 ? came : 1.0);
                }
            o->stopped[p * room->stages + q] = stop_s * stopped;
        }
}

static double settle(const Layout *y, const Labels *a, int64_t p, int64_t g, int64_t lanes,
                     int64_t L, int64_t G) {
    int64_t at = p * G + g, begin = a->begin[at], from = a->stage[at] * G + begin;
    for (int64_t lane = 0; lane < lanes; lane += BLOCK)
        store(a->queue_veh + at * L + lane,
              load(a->queue_veh + from * L + lane) + (load(y->came_then_veh + g * L + lane) -
                                                      load(y->came_then_veh + begin * L + lane)));
    double saved = 0.0;
    for (int64_t j = 0; j < y->served[p]; j++) {
        a->queue_veh[at * L + y->lane[y->row[p] + j]] = a->served_veh[at * L + j];
        saved += a->saved[at * L + j];
    }
    return a->cost[at] - saved;
}

static void stand(const Model *m, const Layout *y, const Labels *a, int64_t p, int64_t g,
                  int64_t end, int64_t lanes, double so_far, double red_s, int64_t L, int64_t G) {
    double number = 0.0, rest = 0.0;
    for (int64_t lane = 0; lane < lanes; lane++) {
        double weight = m->weight[lane], drain = weight * m->drain_s[lane];
        double old = a->queue_veh[(p * G + g) * L + lane] - y->came_then_veh[g * L + lane];
        number += weight * old;
        rest += old * (drain / 2 * old + weight * red_s);
        a->slope[lane] = drain * old;
    }
    double base = so_far - y->waited[g];
    for (int64_t k = (g + 1) / BLOCK * BLOCK; k <= end; k += BLOCK) {
        four spent = (load(y->at_s + k) - y->at_s[g]) * number + load(y->waited + k) + base;
        store(a->spent + k, spent);
        four red = spent + load(y->drained + k) + rest;
        for (int64_t lane = 0; lane < lanes; lane++)
            red = red + a->slope[lane] * load(y->came_veh + lane * G + k);
        store(a->red + k, red);
    }
}

static int clear(const Layout *y, const double *queue_veh, int64_t p, int64_t q, int64_t g,
                 double begin_s, int64_t E) {
    int64_t first = y->pair[q], last = y->pair[q + 1];
    for (int64_t n = first; n < last; n++) y->clear_s[y->yielding[n]] = 0.0;
    for (int64_t n = first; n < last; n++) {
        int64_t foe = y->foe[n], place = y->yielding[n];
        double clear_s = y->going_on[p * E + foe] > 0.0 ? y->at_s[g] : begin_s;
        clear_s += queue_veh[y->lane[foe]] / y->spare_veh_s[foe];
        if (clear_s > y->clear_s[place]) y->clear_s[place] = clear_s;
    }
    return last > first;
}

static void follow(const Layout *y, const Labels *a, int64_t p, int64_t q, int64_t g, int64_t ready,
                   int64_t end, double begin_s, double stopped, int64_t L, int64_t G, int64_t E) {
    const double *from = a->queue_veh + (p * G + g) * L;
    int64_t first = y->row[q];
    const int yielding = clear(y, from, p, q, g, begin_s, E);
    for (int64_t k = ready; k <= end; k++) a->value[k] = a->red[k] + stopped;
    for (int64_t row = first; row < y->row[q + 1]; row += BLOCK) {
        int64_t j = row - first;
        const int64_t *lane = y->lane + row;
        four queue = {from[lane[0]], from[lane[1]], from[lane[2]], from[lane[3]]};
        four cap = load(y->cap_veh + row), weight = load(y->weight + row);
        four drain = load(y->drain + row), red = load(y->red + row);
        four flow = load(y->flow_veh_s + row), going_on = load(y->going_on + p * E + row);
        four less = load(y->less_veh_s + row), clear_s = load(y->clear_s + row);
        four none = queue * 0.0, gone = none, saved = none;
        for (int64_t k = g + 1; k <= end; k++) {
            double step_s = y->at_s[k] - y->at_s[k - 1], new_s = y->at_s[k] - begin_s;
            new_s = new_s < 0.0 ? 0.0 : new_s < step_s ? new_s : step_s;
            four demand = queue + load(y->arriving_veh + (k - 1) * E + row);
            four open_s = going_on * (step_s - new_s) + new_s, able = flow * open_s;
            if (yielding) {
                four opposed_s = clear_s - y->at_s[k] + open_s;
                able = able - less * least(opposed_s - least(opposed_s, none), open_s);
            }
            four leaving = least(able, least(cap - gone, demand));
            queue = demand - leaving;
            four left = gone + leaving;
            saved = saved + weight * (left * y->next_s[k] + gone * y->last_s[k]);
            gone = left;
            store(a->tried_veh + k * L + j, queue);
            store(a->tried_saved + k * L + j, saved);
            if (k >= ready) {
                four eased = gone * drain * (queue + queue + gone) + red * (queue + gone);
                a->value[k] -= total(saved + eased);
            }
        }
    }
}

static void search(const Model *m, const Layout *y, const Labels *a, const Room *room,
                   const int64_t *grid_s, int64_t moments, int64_t present, int64_t stages,
                   int64_t lanes, double start_up_s, double red_s, double stop_s) {
    const int64_t P = room->stages, L = room->lanes, G = room->moments, E = P * L;
    const int64_t end = moments - 1;
    lay_out(m, grid_s, moments, stages, lanes, red_s, stop_s, y, room);
    for (int64_t k = 0; k < stages * G; k++) a->rank[k] = UNSET;
    for (int64_t p = 0; p <= P; p++) a->best[p] = UNSET;
    for (int64_t lane = 0; lane < lanes; lane++)
        a->queue_veh[present * G * L + lane] = m->queue_veh[lane];
    for (int64_t g = 0; g < end; g++)
        for (int64_t p = 0; p < stages; p++) {
            double so_far = 0.0;
            if (g == 0) {
                if (p != present) continue;
            } else if (a->rank[p * G + g] >= UNSET) {
                continue;
            } else {
                so_far = settle(y, a, p, g, lanes, L, G);
            }
            stand(m, y, a, p, g, end, lanes, so_far, red_s, L, G);
            for (int64_t q = 0; q < stages; q++) {
                int stay = q == p;
                if ((stay && g > 0) || !(stay || m->allowed[q])) continue;
                int64_t decision = g ? a->first[p * G + g] : stay ? HOLD : q;
                double lost_s = m->lost_s[p * P + q];
                int64_t until_s = grid_s[g] + (stay ? 1 : (int64_t)ceil(lost_s) + m->min_green_s[q]);
                int64_t ready = until_s < grid_s[end] ? y->moment[until_s] : end;
                double begin_s = y->at_s[g] + lost_s + start_up_s, stopped = y->stopped[p * P + q];
                follow(y, a, p, q, g, ready, end, begin_s, stopped, L, G, E);
                int64_t width = y->row[q + 1] - y->row[q];
                for (int64_t k = ready; k < end; k++) {
                    int64_t at = q * G + k;
                    if (a->value[k] >= a->rank[at] - TIE) continue;
                    a->rank[at] = a->value[k];
                    a->cost[at] = a->spent[k] + stopped;
                    a->first[at] = decision;
                    a->stage[at] = p;
                    a->begin[at] = g;
                    for (int64_t j = 0; j < width; j += BLOCK) {
                        store(a->served_veh + at * L + j, load(a->tried_veh + k * L + j));
                        store(a->saved + at * L + j, load(a->tried_saved + k * L + j));
                    }
                }
                int64_t slot = decision == HOLD ? stages : decision;
                if (a->value[end] < a->best[slot]) a->best[slot] = a->value[end];
            }
        }
}

void repeat(const Model *m, const Layout *y, const Labels *a, const Room *room,
            const int64_t *grid_s, int64_t moments, int64_t present, int64_t stages, int64_t lanes,
            double start_up_s, double red_s, double stop_s, int64_t times) {
    while (times--)
        search(m, y, a, room, grid_s, moments, present, stages, lanes, start_up_s, red_s, stop_s);
}
