"""SepConv++ (Niklaus et al. 2021, arXiv:2011.01280); no training code was released.

From a quotation of the paper (sniklaus/revisiting-sepconv issue #3): Vimeo-90K without a validation
split, AdaMax with learning rate 1e-3, halved at epochs 60 and 80, batch 16, and a loss on filtered
relu1_2 features of a VGG network instead of features of the filtered frame. That loss is not
implemented; this recipe uses the colour loss of SepConv. Chosen, because unknown: 128x128 crops,
100 epochs, flips and time reversal. The number of steps is for all 51,313 training triplets, of
which the last 5 % are held out here.
"""

from vfi_jax.data.augment import Augment
from vfi_jax.training.optimizer import Optimizer, steps_down
from vfi_jax.training.recipe import Recipe
from vfi_jax.training.recipes.sepconv import l1

EPOCHS, EPOCH = 100, 3207  # number of epochs; steps of 16 triplets per epoch

RECIPES = {
    "": Recipe(
        model="resepconv",
        loss=l1,
        optimizer=Optimizer("adamax", 1e-3, schedule=steps_down(0.5, 60 / EPOCHS, 80 / EPOCHS)),
        data=("vimeo90k/triplet",),
        crop=(128, 128),
        batch=16,
        steps=EPOCHS * EPOCH,
        augment=Augment(flip=True, flop=True, reverse=True),
    ),
}
